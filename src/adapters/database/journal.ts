// The journal of database work: a database of its own on the same server, since a restore would take it back, too.

import { StepbackError } from '../../plan/failure.js'
import { Doors } from './journal/doors.js'
import { Memory } from './journal/memory.js'
import { changed } from './operation.js'
import { Session, type DatabaseAddress } from './session.js'

export type { Carried } from './journal/memory.js'

export class Journal extends Doors {
  readonly memory = Memory.of(this.session)

  /** Where there is no journal yet this is `Refused`: a job on the host makes it. */
  static async connect(address: Omit<DatabaseAddress, 'database'>): Promise<Journal> {
    const settings = `set lock_timeout to '3s'; set synchronous_commit to on`
    return new Journal(await Session.connect({ ...address, database: 'stepback' }, settings))
  }

  end(): Promise<void> {
    return this.session.end()
  }

  /** Whether the journal is all there, as the version that left this mark makes it. */
  async has(mark: string): Promise<boolean> {
    const [row] = await this.session.query<{ mark: string | null }>(
      `select obj_description(to_regnamespace('stepback'), 'pg_namespace') as mark`,
    )
    return row?.mark === mark
  }

  /** Ends the target's sessions whose token is smaller, again and again, until none is left. */
  async endSessions(input: {
    readonly prefix: string
    readonly olderThan: number
    readonly withinMs?: number
  }): Promise<void> {
    // The last colon-separated number behind the prefix is the token: the prefix holds the target, whatever is in it.
    const older = `starts_with(application_name, $1)
      and substr(application_name, length($1) + 1) ~ '^[0-9]{1,15}:'
      and split_part(substr(application_name, length($1) + 1), ':', 1)::bigint < $2`
    await this.endUntilNone(older, [input.prefix, input.olderThan], input.withinMs)
  }

  /** Ends whoever is connected to a database, again and again, until none is left but those that are excepted. */
  async endSessionsOf(input: {
    readonly oid: number
    readonly except?: readonly number[]
    readonly withinMs?: number
  }): Promise<void> {
    await this.endUntilNone(
      `datid = $1 and not (pid = any($2::int[])) and backend_type not like 'autovacuum%'`,
      [input.oid, input.except ?? []],
      input.withinMs,
    )
  }

  /** Of a database that may be what is damaged, so not through it. */
  async oidOf(database: string): Promise<number> {
    const [found] = await this.session.query<{ oid: number }>('select oid from pg_database where datname = $1', [
      database,
    ])
    if (found) return found.oid
    throw changed(`no database "${database}" is there`)
  }

  /** They keep a database from being renamed, and only in it could anybody end them. */
  async preparedTransactions(database: string): Promise<number> {
    const rows = await this.session.query('select from pg_prepared_xacts where database = $1', [database])
    return rows.length
  }

  private async endUntilNone(which: string, values: readonly unknown[], withinMs = 30_000): Promise<void> {
    const deadline = Date.now() + withinMs
    const end = `select pid, pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and ${which}`
    for (;;) {
      const left = await this.session.query<{ pid: number }>(end, values)
      if (left.length === 0) return
      if (Date.now() > deadline) throw stay(left, withinMs)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

function stay(sessions: readonly { readonly pid: number }[], withinMs: number): StepbackError {
  const pids = sessions.map(({ pid }) => pid).join(', ')
  return new StepbackError({
    type: 'Busy',
    message: `sessions did not end within ${withinMs} ms: ${pids}`,
    hint: 'look at these processes of the server: `select * from pg_stat_activity` says what each waits for.',
  })
}
