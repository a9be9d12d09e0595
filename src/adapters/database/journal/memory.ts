// What the journal remembers of a database's past, which a restore of that database would have taken back.

import type { OwnWrites } from '../counters.js'
import { type Remembered, nothingRemembered } from '../exposure.js'
import type { Mine } from '../operation.js'
import type { Session } from '../session.js'
import { Acts, sameToken } from './acts.js'

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

export class Memory extends Acts {
  static of(session: Session): Memory {
    return new Memory(session)
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
}
