// An application that writes all the time, by its own role and the published port, and connects again when it is cut off.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** Between two writes: often enough to see a short gap, seldom enough to leave the machine to what is measured. */
const pauseMs = 5

export class Writer {
  #stopped = false
  #longestMs = 0
  readonly #ended: Promise<void>

  constructor(private readonly url: string) {
    this.#ended = this.#write()
  }

  /** The longest time between two writes that went well, in seconds. */
  async stop(): Promise<number> {
    this.#stopped = true
    await this.#ended
    return this.#longestMs / 1_000
  }

  async #write(): Promise<void> {
    let last = performance.now()
    while (!this.#stopped) {
      const client = new pg.Client({ connectionString: this.url })
      client.on('error', () => {})
      try {
        await client.connect()
        while (!this.#stopped) {
          await client.query(`insert into sessions (title) values ('written meanwhile')`)
          this.#longestMs = Math.max(this.#longestMs, performance.now() - last)
          last = performance.now()
          await sleep(pauseMs)
        }
      } catch {
        await sleep(pauseMs)
      } finally {
        void client.end().catch(() => {})
      }
    }
  }
}
