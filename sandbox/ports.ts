import { randomInt } from 'node:crypto'
import { type Server, connect, createServer } from 'node:net'

/** Below the range that systems hand out to outgoing connections: a server that is started again finds its port free. */
const range = { from: 20_000, to: 30_000 }
const blockSize = 50

/**
 * As many different loopback ports that nothing listens on, from a block of their own. The block's first port is held
 * until the process ends: two that look at once would both find what neither listens on yet.
 */
export async function freePorts(count: number): Promise<number[]> {
  if (count >= blockSize) throw new RangeError(`${count} ports are more than a block has`)
  for (let tries = 0; tries < 1000; tries++) {
    const first = range.from + blockSize * randomInt((range.to - range.from) / blockSize)
    const ports = Array.from({ length: count }, (_, index) => first + 1 + index)
    const holder = await listen(first)
    if (holder && (await Promise.all(ports.map(isFree))).every(Boolean)) return ports
    holder?.close()
  }
  throw new Error(`no ${count} free ports between ${range.from} and ${range.to}`)
}

/** Whether something accepts connections there. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(1000, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port)
  if (!server) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

/** Keeps no process alive. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer().unref()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
