// One connection to PostgreSQL through the tunnel, and what its errors mean for a run.

import pg from 'pg'
import { StepbackError, type FailureType } from '../../plan/failure.js'

export interface DatabaseAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** `stepback:<target>:<token>:<what>`: by it a take-over finds and ends the session. */
  readonly applicationName: string
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
    const { applicationName, ...access } = address
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

/** The failure that an error of the database means. Only its code decides; rows that it may quote stay out. */
export function databaseError(input: { readonly cause: unknown; readonly what: string }): StepbackError {
  const { cause, what } = input
  if (cause instanceof StepbackError) return cause
  const { code, message } = cause as { code?: string; message: string }
  const type = typeOf(code)
  return new StepbackError({
    type,
    message: `${what} failed: ${message}${code ? ` (${code})` : ''}`,
    ...hintOf(code),
    cause,
  })
}

/** What an error says besides its words, which may quote a row. */
export function codeOf(error: unknown): {
  readonly code?: string
  readonly constraint?: string
  readonly column?: string
} {
  if (error instanceof StepbackError) return error.cause === undefined ? {} : codeOf(error.cause)
  return (error ?? {}) as { code?: string; constraint?: string; column?: string }
}

/** Whether an error has one of these codes of PostgreSQL. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const own = (error as { code?: string } | undefined)?.code
  if (own !== undefined) return codes.includes(own)
  return error instanceof StepbackError && error.cause !== undefined && hasCode(error.cause, ...codes)
}

// Lock timeout, deadlock, serialization, in use, not accepting connections, too many connections, starting up.
const busy = ['55P03', '40P01', '40001', '55006', '55000', '53300']

function typeOf(code: string | undefined): FailureType {
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return 'Unreachable'
  if (busy.includes(code)) return 'Busy'
  if (/^(08|57P)/.test(code)) return 'Unreachable'
  return /^(28|3D000)/.test(code) ? 'Refused' : 'StepFailed'
}

function hintOf(code: string | undefined): { hint?: string } {
  if (code?.startsWith('28')) return { hint: 'compare user and password of the configuration with the database.' }
  if (code === '3D000') return { hint: 'compare the name of the database with `psql -l` on the host.' }
  return {}
}
