// A wire between the worker and a server on this machine, that can be cut, held up, or closed on purpose.

import { type Server, type Socket, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the wire does with what comes through it. */
export interface Wire {
  /** New connections: taken, refused, or taken and closed before a word is said. */
  readonly opens: 'yes' | 'refused' | 'closed'
  /** Every piece comes so much later. */
  readonly delayMs: number
  /** How likely it is that a piece that is sent after a silence cuts its connection. */
  readonly cuts: number
  /** The next answer comes by half, and then its connection ends. */
  readonly halves: boolean
}

const whole: Wire = { opens: 'yes', delayMs: 0, cuts: 0, halves: false }
/** Pieces closer together belong to one message. */
const silenceMs = 20

export class Proxy {
  static async before(port: number): Promise<Proxy> {
    const proxy = new Proxy(port)
    await proxy.#listen(0)
    return proxy
  }

  port = 0
  #wire = whole
  #chance: () => number = Math.random
  #server: Server | undefined
  readonly #pairs = new Set<readonly [Socket, Socket]>()

  private constructor(private readonly behind: number) {}

  /** From now on; connections that are there stay. */
  async set(wire: Partial<Wire>, chance: () => number = Math.random): Promise<void> {
    this.#wire = { ...whole, ...wire }
    this.#chance = chance
    if (this.#wire.opens === 'refused') this.#close()
    else if (!this.#server) await this.#listen(this.port)
  }

  /** Whether the answer that is to come by half has yet to come. */
  get halves(): boolean {
    return this.#wire.halves
  }

  /** Ends every connection, as a cable that is pulled would, seen from behind. */
  cut(): void {
    for (const pair of this.#pairs) end(pair)
  }

  end(): void {
    this.#close()
    this.cut()
  }

  async #listen(port: number): Promise<void> {
    const server = createServer((socket) => this.#take(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    this.port = (server.address() as { readonly port: number }).port
    this.#server = server
  }

  #close(): void {
    this.#server?.close()
    this.#server = undefined
  }

  #take(near: Socket): void {
    if (this.#wire.opens === 'closed') return void near.destroy()
    const far = connect({ host: '127.0.0.1', port: this.behind })
    const pair = [near, far] as const
    this.#pairs.add(pair)
    for (const socket of pair) {
      socket.setNoDelay(true)
      socket.on('error', () => end(pair))
      socket.on('close', () => {
        end(pair)
        this.#pairs.delete(pair)
      })
    }
    this.#pass(near, far, pair, 'there')
    this.#pass(far, near, pair, 'back')
  }

  /** Pieces keep their order, however late each is. */
  #pass(from: Socket, to: Socket, pair: readonly [Socket, Socket], way: 'there' | 'back'): void {
    let last = Date.now()
    let queue = Promise.resolve()
    from.on('data', (piece: Buffer) => {
      const { delayMs, cuts, halves } = this.#wire
      const begins = Date.now() - last > silenceMs
      last = Date.now()
      if (way === 'there' && begins && this.#chance() < cuts) return end(pair)
      if (way === 'back' && halves) {
        this.#wire = { ...this.#wire, halves: false }
        to.write(piece.subarray(0, piece.length >> 1), () => end(pair))
        return
      }
      queue = queue.then(async () => {
        if (delayMs > 0) await sleep(delayMs)
        if (!to.destroyed) to.write(piece)
      })
    })
    from.on('end', () => void queue.then(() => to.end()))
  }
}

function end(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.destroy()
}
