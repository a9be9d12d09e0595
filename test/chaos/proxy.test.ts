// The wire does what it is told to, with real sockets.

import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Proxy } from '../../chaos/proxy.js'

let server: Server
let proxy: Proxy

beforeEach(async () => {
  server = createServer((socket) => void socket.on('error', () => undefined).on('data', (text) => socket.write(text)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await Proxy.before((server.address() as AddressInfo).port)
})

afterEach(() => {
  proxy.end()
  server.close()
})

async function opened(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function answer(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const [said] = (await once(socket, 'data')) as [Buffer]
  return said.toString()
}

describe('a wire', () => {
  test('passes on what is said, both ways, late as well', async () => {
    const socket = await opened()
    expect(await answer(socket, 'hello')).toBe('hello')
    await proxy.set({ delayMs: 20 })
    expect(await answer(socket, 'again')).toBe('again')
    socket.destroy()
  })

  test('that is cut ends connections, and takes new ones', async () => {
    const socket = await opened()
    await answer(socket, 'hello')
    proxy.cut()
    await once(socket, 'close')
    const next = await opened()
    expect(await answer(next, 'hello')).toBe('hello')
    next.destroy()
  })

  test('that refuses takes no new connection, until it does again under the same port', async () => {
    await proxy.set({ opens: 'refused' })
    await expect(opened()).rejects.toThrow('ECONNREFUSED')
    await proxy.set({})
    const socket = await opened()
    expect(await answer(socket, 'hello')).toBe('hello')
    socket.destroy()
  })

  test('that closes at the handshake says nothing', async () => {
    await proxy.set({ opens: 'closed' })
    const socket = await opened()
    await once(socket, 'close')
    expect(socket.bytesRead).toBe(0)
  })

  test('that delivers by half ends behind the half, once', async () => {
    const socket = await opened()
    await proxy.set({ halves: true })
    expect(proxy.halves).toBe(true)
    const said: Buffer[] = []
    socket.on('data', (text: Buffer) => said.push(text))
    socket.write('12345678')
    await once(socket, 'close')
    expect(Buffer.concat(said).toString()).toBe('1234')
    expect(proxy.halves).toBe(false)
    const next = await opened()
    expect(await answer(next, '12345678')).toBe('12345678')
    next.destroy()
  })

  test('that fails now and then cuts by the chance that it is given', async () => {
    const socket = await opened()
    await answer(socket, 'hello')
    await new Promise((resolve) => setTimeout(resolve, 50)) // what is sent behind a silence is a new message
    await proxy.set({ cuts: 0.5 }, () => 0.4)
    socket.write('hello')
    await once(socket, 'close')
    await proxy.set({ cuts: 0.5 }, () => 0.6)
    const next = await opened()
    expect(await answer(next, 'hello')).toBe('hello')
    next.destroy()
  })
})
