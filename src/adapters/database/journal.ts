// The journal of database work, and the only place where names change. Every act is one transaction whose first
// statement is a conditional update of the target's row: no decision rests on a bare read, since a COMMIT whose answer
// was lost may still be running, and whoever holds the row makes the others wait and then see.

import pg from 'pg'
import { StepbackError } from '../../plan/failure.js'
import type { OwnWrites } from './counters.js'
import { type Remembered, nothingRemembered } from './exposure.js'
import { changed, isOpenFor, sides, type Direction, type Door, type Mine, type Operation } from './operation.js'
import { Session, type DatabaseAddress } from './session.js'

const sameToken = 'update stepback.door set token = token where target = $1 and token = $2'

interface Beginning {
  readonly oid: number
  /** A restore point. */
  readonly source: string
  readonly snapshot: string
}

/** Rows that were carried into a database, by the transaction that did it. */
export interface Carried {
  readonly xid: string
  /** The snapshot of that database in which nothing had been carried yet. */
  readonly pristine: string
  readonly result: unknown
}

export class Journal {
  private constructor(private readonly session: Session) {}

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

  /** First act of a token. `Fenced` where a later one is in force. Then end the sessions of the older ones. */
  async raiseFence({ target, token }: Mine): Promise<void> {
    const raised = await this.session.query(
      `insert into stepback.door as d (target, token) values ($1, $2)
       on conflict (target) do update set token = excluded.token where d.token <= excluded.token returning token`,
      [target, token],
    )
    if (raised.length === 0) throw await this.fenced({ target, token })
  }

  /** Throws `Fenced` unless this token is in force. Waits for an act that is under way. */
  async checkFence(mine: Mine): Promise<Door> {
    const door = await this.update(mine, sameToken, [])
    if (door) return door
    throw await this.fenced(mine)
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

  /**
   * The operation, made where it is missing, with the oids behind its names at that moment. Not yet swapped, it takes
   * the database that is built by now: whoever pays a debt builds anew what a fenced run had built.
   */
  async openOperation(
    input: Mine & {
      readonly id: string
      readonly liveName: string
      readonly newName: string
      readonly beforeName: string
      /** The restore point that the new database is made from. */
      readonly source: string
    },
  ): Promise<Operation> {
    const values = [input.target, input.id, input.liveName, input.newName, input.beforeName, input.source]
    return this.act(input, sameToken, [], async () => {
      await this.session.query(
        `insert into stepback.operation (target, id, live_name, new_name, before_name, source, live_oid, new_oid)
         select $1, $2, $3::text, $4::text, $5, $6, l.oid, n.oid from pg_database l, pg_database n
         where l.datname = $3::text and n.datname = $4::text
         on conflict (target, id) do update set new_oid = excluded.new_oid
           where operation.state = 'planned' and not operation.sealed and operation.live_oid = excluded.live_oid`,
        values,
      )
      const operation = await this.readOperation(input)
      if (operation) return operation
      throw changed(`no database "${input.liveName}" or no database "${input.newName}" is there`)
    })
  }

  /** Where an operation stands, for certain. */
  async learn(
    input: Mine & { readonly id: string },
  ): Promise<{ readonly door: Door; readonly operation: Operation | undefined }> {
    return this.act(input, sameToken, [], async (door) => ({
      door,
      operation: await this.readOperation(input),
    }))
  }

  /** Forbids the do for ever: the first act of its undo, so that no ghost of it closes and swaps again. */
  async seal(input: Mine & { readonly id: string }): Promise<Operation | undefined> {
    return this.act(input, sameToken, [], async () => {
      await this.session.query('update stepback.operation set sealed = true where target = $1 and id = $2', [
        input.target,
        input.id,
      ])
      return this.readOperation(input)
    })
  }

  /**
   * Closes the database behind the live name to new connections, as closing number `closing`, for which a timer is
   * armed. False where another has closed since, or the operation is over: learn, and take a new number.
   */
  async close(
    input: Mine & { readonly id: string; readonly direction: Direction; readonly closing: number },
  ): Promise<boolean> {
    const update = `update stepback.door set state = 'closed', closing = $3::bigint, closed_at = now(), closed_oid = null
      where target = $1 and token = $2 and closing = $3::bigint - 1 and (state = 'open' or closed_oid in (
        select unnest(array[o.live_oid, o.new_oid]) from stepback.operation o where o.target = $1 and o.id = $4))`
    return this.attempt(input, update, [input.closing, input.id], async () => {
      const operation = await this.readOperation(input)
      if (!operation || !isOpenFor(operation, input.direction)) throw new NotNow()
      const { from } = sides(operation, input.direction)
      await this.expect(operation.liveName, from.oid)
      await this.session.query('update stepback.door set closed_oid = $2 where target = $1', [input.target, from.oid])
      await this.session.query(`alter database ${pg.escapeIdentifier(operation.liveName)} allow_connections false`)
    })
  }

  /** All writes to a database so far. A backend adds its own before it leaves. */
  async count(oid: number): Promise<string> {
    const rows = await this.session.query<{ count: string }>(
      `select pg_stat_clear_snapshot(), (tup_inserted + tup_updated + tup_deleted)::text as count
       from pg_stat_database where datid = $1`,
      [oid],
    )
    return rows[0]?.count ?? 'none'
  }

  /**
   * The renames, in one transaction with the journal. The count is compared after them: a rename refuses while anyone
   * is connected, one inside its start too, so from then on nobody can write. False where the closing is over, the
   * operation is, or something was written: nothing was changed then. `Busy` where somebody is connected.
   */
  async swap(
    input: Mine & {
      readonly id: string
      readonly direction: Direction
      readonly closing: number
      readonly count: string
    },
  ): Promise<boolean> {
    const update = `update stepback.door set state = 'open', opened_by = 'swap', opened_at = now()
      where target = $1 and token = $2 and state = 'closed' and closing = $3`
    return this.attempt(input, update, [input.closing], async () => {
      const operation = await this.readOperation(input)
      if (!operation || !isOpenFor(operation, input.direction)) throw new NotNow()
      const { from, to } = sides(operation, input.direction)
      await this.expect(operation.liveName, from.oid)
      await this.expect(to.name, to.oid)
      await this.record(input)
      await this.rename(operation.liveName, from.keptAs)
      await this.rename(to.name, operation.liveName)
      if ((await this.count(from.oid)) !== input.count) throw new NotNow()
      await this.session.query(`alter database ${pg.escapeIdentifier(operation.liveName)} allow_connections true`)
    })
  }

  /** Opens what this closing closed; false where it is over already. */
  async reopen(input: Mine & { readonly closing: number }): Promise<boolean> {
    const update = `update stepback.door set state = 'open', opened_by = 'holder', opened_at = now()
      where target = $1 and token = $2 and state = 'closed' and closing = $3`
    return this.attempt(input, update, [input.closing], () => this.open(input.target))
  }

  /** Opens what is found closed, by a number of its own, so that whoever closed it cannot go on. */
  async mend(input: Mine & { readonly closedForMs?: number }): Promise<boolean> {
    const update = `update stepback.door set state = 'open', closing = closing + 1, opened_by = 'mend', opened_at = now()
      where target = $1 and token = $2 and state = 'closed' and closed_at <= now() - $3::float8 * interval '1 millisecond'`
    return this.attempt(input, update, [input.closedForMs ?? 0], () => this.open(input.target))
  }

  /**
   * Remembers that a restore point was taken, once it is. A server that was put back to an earlier state has forgotten
   * it, and nothing else tells its transaction ids from those of before.
   */
  async rememberTaken(input: Mine & { readonly id: string }): Promise<void> {
    await this.act(input, sameToken, [], () =>
      this.session.query('insert into stepback.taken (target, id) values ($1, $2) on conflict do nothing', [
        input.target,
        input.id,
      ]),
    )
  }

  /** Remembers what a migration wrote to a database of this server. */
  async rememberMigration(input: Mine & { readonly database: string; readonly writes: OwnWrites }): Promise<void> {
    const { target, database, writes } = input
    await this.act(input, sameToken, [], () =>
      this.session.query(
        `insert into stepback.migration (target, database, xid, tables)
         select $1, oid, $3, $4 from pg_database where datname = $2 on conflict do nothing`,
        [target, database, writes.xid, JSON.stringify(writes.tables)],
      ),
    )
  }

  /** Lets sessions into a database beside the live one, or no longer. */
  async admit(input: Mine & { readonly name: string; readonly oid: number; readonly open: boolean }): Promise<void> {
    const { name, oid, open } = input
    await this.act(input, sameToken, [], async () => {
      await this.expect(name, oid)
      await this.session.query(`alter database ${pg.escapeIdentifier(name)} allow_connections ${open}`)
    })
  }

  /** Remembers which transaction carries rows into a database, right before it commits: see `carried`. */
  async rememberCarried(input: Mine & { readonly id: string; readonly database: number } & Carried): Promise<void> {
    const { target, id, database, xid, pristine, result } = input
    await this.act(input, sameToken, [], () =>
      this.session.query(
        `insert into stepback.carried (target, id, database, xid, pristine, result) values ($1, $2, $3, $4, $5, $6)`,
        [target, id, database, xid, pristine, JSON.stringify(result)],
      ),
    )
  }

  /** What an operation carried into that database, oldest first: only of transactions that were committed. */
  async carried(input: Mine & { readonly id: string; readonly database: number }): Promise<readonly Carried[]> {
    return await this.act(input, sameToken, [], () =>
      this.session.query<Carried>(
        `select xid, pristine, result from stepback.carried where target = $1 and id = $2 and database = $3
         and case when xid::xid8 < pg_snapshot_xmax(pg_current_snapshot()) then pg_xact_status(xid::xid8) = 'committed'
           else false end order by at, xid::xid8`,
        [input.target, input.id, input.database],
      ),
    )
  }

  /** What was carried into the live database before it became that; nothing where a journal does not know. */
  async carriedInto(input: { readonly target: string; readonly database: string }): Promise<unknown> {
    const [made] = await this.session.query<{ there: boolean }>(
      `select to_regclass('stepback.carried') is not null as there`,
    )
    if (!made?.there) return undefined
    const [row] = await this.session.query<Pick<Carried, 'result'>>(
      `select c.result from stepback.carried c join pg_database d on d.oid = c.database
       where c.target = $1 and d.datname = $2 and case when c.xid::xid8 < pg_snapshot_xmax(pg_current_snapshot()) then pg_xact_status(c.xid::xid8) is distinct from 'aborted' else false end
       order by c.at desc limit 1`,
      [input.target, input.database],
    )
    return row?.result
  }

  /** What it knows of the time since a restore point of a database was taken. */
  async remembered(input: {
    readonly target: string
    readonly id: string
    readonly database: string
  }): Promise<Remembered> {
    const { target, id, database } = input
    // A journal that an earlier version made has neither table before the next lease is taken.
    const [made] = await this.session.query<{ there: boolean }>(
      `select to_regclass('stepback.taken') is not null and to_regclass('stepback.migration') is not null as there`,
    )
    if (!made?.there) return nothingRemembered
    const taken = await this.session.query('select from stepback.taken where target = $1 and id = $2', [target, id])
    const migrations = await this.session.query<OwnWrites>(
      `select xid, tables from stepback.migration where target = $1
       and database = (select oid from pg_database where datname = $2) order by at`,
      [target, database],
    )
    return { taken: taken.length > 0, migrations }
  }

  /** Migrations that ran in a database between two of its snapshots. */
  async migrationsBetween(input: {
    readonly target: string
    readonly oid: number
    readonly after: string
    readonly before: string
  }): Promise<readonly OwnWrites[]> {
    return await this.session.query<OwnWrites>(
      `select xid, tables from stepback.migration where target = $1 and database = $2
       and not pg_visible_in_snapshot(xid::xid8, $3::pg_snapshot) and pg_visible_in_snapshot(xid::xid8, $4::pg_snapshot)`,
      [input.target, input.oid, input.after, input.before],
    )
  }

  /** What a database was made from, and the snapshot of its first moment as the live one; nothing of one never swapped. */
  async beginningOf(input: { readonly target: string; readonly database: string }): Promise<Beginning | undefined> {
    const [row] = await this.session.query<{ oid: number; it: { source?: string; snapshot?: string } }>(
      `select o.new_oid as oid, to_jsonb(o) as it from stepback.operation o join pg_database d on d.oid = o.new_oid
       where o.target = $1 and d.datname = $2 and o.state = 'swapped' order by o.swapped_at desc limit 1`,
      [input.target, input.database],
    )
    // Those of an earlier version do not know.
    if (!row?.it.source || !row.it.snapshot) return undefined
    return { oid: row.oid, source: row.it.source, snapshot: row.it.snapshot }
  }

  /** Sessions and transactions that keep a database from being renamed, which only that database could end. */
  async oidOf(database: string): Promise<number> {
    const [found] = await this.session.query<{ oid: number }>('select oid from pg_database where datname = $1', [
      database,
    ])
    if (found) return found.oid
    throw changed(`no database "${database}" is there`)
  }

  async preparedTransactions(database: string): Promise<number> {
    const rows = await this.session.query('select from pg_prepared_xacts where database = $1', [database])
    return rows.length
  }

  private async act<T>(
    mine: Mine,
    update: string,
    more: readonly unknown[],
    work: (door: Door) => Promise<T>,
  ): Promise<T> {
    const result = await this.guarded(mine, update, more, work)
    if (result) return result.value
    throw await this.fenced(mine)
  }

  private async attempt(
    mine: Mine,
    update: string,
    more: readonly unknown[],
    work: () => Promise<void>,
  ): Promise<boolean> {
    try {
      if (await this.guarded(mine, update, more, work)) return true
    } catch (error) {
      if (!(error instanceof NotNow)) throw error
    }
    // Nothing happened: fenced, or told apart by whoever learns next.
    await this.checkFence(mine)
    return false
  }

  private guarded<T>(
    mine: Mine,
    update: string,
    more: readonly unknown[],
    work: (door: Door) => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    return this.session.transaction(async () => {
      const door = await this.update(mine, update, more)
      return door && { value: await work(door) }
    })
  }

  /** The row behind an update of it; undefined where its condition does not hold. */
  private async update(mine: Mine, update: string, more: readonly unknown[]): Promise<Door | undefined> {
    const [row] = await this.session.query<{ token: string; state: Door['state']; closing: string }>(
      `${update} returning token, state, closing`,
      [mine.target, mine.token, ...more],
    )
    return row && { token: Number(row.token), state: row.state, closing: Number(row.closing) }
  }

  private async readOperation(input: { readonly target: string; readonly id: string }): Promise<Operation | undefined> {
    const rows = await this.session.query<Operation>(
      `select id, state, sealed, live_name as "liveName", new_name as "newName", before_name as "beforeName",
       live_oid as "liveOid", new_oid as "newOid" from stepback.operation where target = $1 and id = $2 for update`,
      [input.target, input.id],
    )
    return rows[0]
  }

  private async record(input: Mine & { readonly id: string; readonly direction: Direction }): Promise<void> {
    const there = `state = 'swapped', swapped_at = now(), snapshot = pg_current_snapshot()::text`
    const set = input.direction === 'there' ? there : `state = 'reverted', reverted_at = now()`
    await this.session.query(`update stepback.operation set ${set} where target = $1 and id = $2`, [
      input.target,
      input.id,
    ])
  }

  private async expect(name: string, oid: number): Promise<void> {
    const rows = await this.session.query<{ oid: number }>('select oid from pg_database where datname = $1', [name])
    if (rows[0]?.oid === oid) return
    throw changed(`database "${name}" should have oid ${oid} and has ${rows[0]?.oid ?? 'none: it is not there'}`)
  }

  private async rename(from: string, to: string): Promise<void> {
    await this.session.query(`alter database ${pg.escapeIdentifier(from)} rename to ${pg.escapeIdentifier(to)}`)
  }

  private async open(target: string): Promise<void> {
    const rows = await this.session.query<{ datname: string }>(
      'select d.datname from stepback.door o join pg_database d on d.oid = o.closed_oid where o.target = $1',
      [target],
    )
    for (const { datname } of rows) {
      await this.session.query(`alter database ${pg.escapeIdentifier(datname)} allow_connections true`)
    }
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

  private async fenced({ target, token }: Mine): Promise<StepbackError> {
    const rows = await this.session.query<{ token: string }>('select token from stepback.door where target = $1', [
      target,
    ])
    const found = rows[0]?.token ?? 'none'
    return new StepbackError({
      type: 'Fenced',
      message: `token ${token} is not in force in the journal of target "${target}": it has ${found}`,
      details: { token, found },
    })
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

/** Rolls an act back without an error for its caller. */
class NotNow extends Error {}
