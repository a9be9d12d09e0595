// One connection to PostgreSQL through the tunnel.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { databaseError, hasCode } from './errors.js'

export interface DatabaseAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** `stepback:<target>:<token>:<what>`: by it a take-over finds and ends the session. */
  readonly applicationName: string
  /** How long one waits for a server that says that it starts or recovers; missing: not at all. */
  readonly recoversWithinMs?: number
}

// A client that is gone must not leave its transaction and its locks behind until its statement ends by itself.
export const serverOptions = '-c client_connection_check_interval=1000'

// What rows look like as text depends on these; see the same list for the scripts in commands.
const pinned = `set timezone to 'UTC'; set datestyle to 'ISO, YMD'; set intervalstyle to 'postgres';
set extra_float_digits to 3; set bytea_output to 'hex'; set lc_monetary to 'C'; set xmloption to 'content'`

/** Values as text. */
export type RawRow = readonly (string | null)[]

export class Session {
  private constructor(
    private readonly client: pg.Client,
    readonly pid: number,
  ) {}

  /** `settings`: statements that set more for the session. */
  static async connect(address: DatabaseAddress, settings = ''): Promise<Session> {
    return await onceRecovered(address, () => Session.#open(address, settings))
  }

  static async #open(address: DatabaseAddress, settings: string): Promise<Session> {
    const { applicationName, recoversWithinMs: _, ...access } = address
    const client = new pg.Client({
      ...access,
      application_name: applicationName,
      options: serverOptions,
      connectionTimeoutMillis: 15_000,
      keepAlive: true,
    })
    // The loss of an idle connection is told by the next query; without a listener it would end the process.
    client.on('error', () => {})
    try {
      await client.connect()
      // In one text, since each would be a way there and back; the answers come as a list then.
      const answers = await client.query(`${pinned}; ${settings}; select pg_backend_pid() as pid`)
      return new Session(client, (answers as unknown as pg.QueryResult[]).at(-1)!.rows[0].pid)
    } catch (cause) {
      void client.end().catch(() => {})
      throw databaseError({ cause, what: `connecting to database "${address.database}"` })
    }
  }

  async query<T extends object>(text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
    try {
      // Without values the simple protocol is used, which takes several statements.
      const result = await (values.length === 0 ? this.client.query(text) : this.client.query(text, [...values]))
      return result.rows ?? []
    } catch (cause) {
      throw databaseError({ cause, what: 'a statement' })
    }
  }

  /** Rows as the server writes their values, in the order of the columns: nothing is read into a number or a date. */
  async rawRows(text: string, values: readonly unknown[] = []): Promise<readonly RawRow[]> {
    try {
      const types = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig
      const result = await this.client.query<(string | null)[]>({ text, values: [...values], rowMode: 'array', types })
      return result.rows
    } catch (cause) {
      throw databaseError({ cause, what: 'a statement' })
    }
  }

  /** Commits what `work` did; rolls back where it throws. A lost answer to COMMIT is `Unreachable`: outcome unknown. */
  async transaction<T>(work: () => Promise<T>, begin = 'begin'): Promise<T> {
    await this.query(begin)
    let result: T
    try {
      result = await work()
    } catch (error) {
      await this.query('rollback').catch(() => {})
      throw error
    }
    await this.query('commit')
    return result
  }

  async end(): Promise<void> {
    await this.client.end().catch(() => {})
  }
}

const recoveryIsAskedEveryMs = 500

/** After a crash a server reads its log again before it lets anybody in: where that is long, for minutes. */
export async function onceRecovered<T>(
  { recoversWithinMs = 0 }: DatabaseAddress,
  connect: () => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + recoversWithinMs
  for (;;) {
    try {
      return await connect()
    } catch (error) {
      if (!hasCode(error, '57P03') || Date.now() >= deadline) throw error
      await sleep(recoveryIsAskedEveryMs)
    }
  }
}
