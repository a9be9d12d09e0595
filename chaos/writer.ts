// The application's part: it writes a row now and then, by its own role, and remembers each that was acknowledged.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Row } from './verdict.js'

/** Seldom enough that a long trial does not make the database another one. */
const pauseMs = 100

export class Writer {
  #rows: Row[] = []
  #number = 0
  #stopped = false
  readonly #ended: Promise<void>

  constructor(private readonly url: string) {
    this.#ended = this.#write()
  }

  /** What was acknowledged and has not been given up. */
  get acknowledged(): readonly Row[] {
    return [...this.#rows]
  }

  /** Rows up to this number that are not there any more were allowed to be lost. */
  keepOnly(there: readonly number[], upTo: number): void {
    const known = new Set(there)
    this.#rows = this.#rows.filter(({ number }) => number > upTo || known.has(number))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const client = new pg.Client({
        connectionString: this.url,
        query_timeout: 10_000,
        connectionTimeoutMillis: 5_000,
      })
      client.on('error', () => {})
      try {
        await client.connect()
        while (!this.#stopped) {
          // A number is never sent twice: of one whose answer was lost nobody knows, and it counts for nothing.
          const number = (this.#number += 1)
          await client.query('insert into sessions (title) values ($1)', [`chaos ${number}`])
          this.#rows.push({ number, at: Date.now() })
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
