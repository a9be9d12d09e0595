import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

/** Below the range that systems hand out to outgoing connections: a server that is started again finds its port free. */
const range = { from: 20_000, to: 30_000 }

/** As many different loopback ports that nothing listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1000) throw new Error(`no ${count} free ports between ${range.from} and ${range.to}`)
    const port = randomInt(range.from, range.to)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
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

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
