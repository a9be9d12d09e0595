// A local port that leads to one of the host's.
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface Tunnel {
  readonly port: number
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1; each connection to it is joined to a stream of its own. */
export async function openTunnel(dial: () => Promise<Duplex>): Promise<Tunnel> {
  const sockets = new Set<Socket>()
  // Half open, so that who has said all can still read the answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    dial().then(
      (stream) => {
        stream.on('error', () => socket.destroy())
        stream.once('close', () => socket.destroy())
        socket.once('close', () => stream.destroy())
        socket.pipe(stream).pipe(socket)
      },
      () => socket.destroy(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
