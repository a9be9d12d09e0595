// A real HTTP server that keeps what it was sent, and answers as it is told to.

import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** As it arrived, byte for byte. */
  readonly body: string
}

/** What it answers; `nothing` keeps the caller waiting. */
export type Reply = { readonly status: number; readonly body?: string; readonly location?: string } | 'nothing'

export class Receiver {
  readonly received: Received[] = []
  reply: (request: Received) => Reply = () => ({ status: 200 })

  static async open(): Promise<Receiver> {
    const receiver = new Receiver()
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve))
    return receiver
  }

  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const received = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
    this.received.push(received)
    const reply = this.reply(received)
    if (reply === 'nothing') return
    response.writeHead(reply.status, reply.location === undefined ? {} : { location: reply.location }).end(reply.body)
  })

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What was posted, as JSON. */
  get bodies(): any[] {
    return this.received.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body))
  }

  /** Ends what it never answered. */
  hangUp(): void {
    this.#server.closeAllConnections()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
