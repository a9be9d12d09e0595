// An application's role that asks which database it is in, again and again, and connects anew when it is cut off.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const pauseMs = 2

export class Prober {
  #lastOther = performance.now()
  #arrived: number | undefined
  #stopped = false

  /** Asks until the database of that oid answers under the live name. */
  constructor(
    private readonly url: string,
    private readonly oid: number,
  ) {}

  /** For when it will not come. */
  stop(): void {
    this.#stopped = true
  }

  /** Seconds from the last answer of the former database, which is before it was closed, to the first of the other. */
  async untilThere(): Promise<number> {
    while (this.#arrived === undefined && !this.#stopped) {
      const client = new pg.Client({ connectionString: this.url })
      client.on('error', () => {})
      try {
        await client.connect()
        while (this.#arrived === undefined && !this.#stopped) await this.#ask(client)
      } catch {
        await sleep(pauseMs)
      } finally {
        void client.end().catch(() => {})
      }
    }
    return ((this.#arrived ?? Infinity) - this.#lastOther) / 1_000
  }

  async #ask(client: pg.Client): Promise<void> {
    const { rows } = await client.query('select oid::int from pg_database where datname = current_database()')
    if (rows[0].oid === this.oid) this.#arrived = performance.now()
    else this.#lastOther = performance.now()
    await sleep(pauseMs)
  }
}
