// Which rows were written since a restore point, by the ids of transactions that the rows themselves carry.

import type { Baseline } from './exposure.js'
import type { OwnWrites } from './counters.js'
import type { Session } from './session.js'

/** In each condition the row is `x`, `$1` is the snapshot, and `$2` the ids of the migrations. */
export interface Since {
  readonly snapshot: string
  /** Migrations since, and what each wrote itself. */
  readonly migrations: readonly OwnWrites[]
}

export const written = `(not pg_visible_in_snapshot(x.xmin::text::xid8, $1::pg_snapshot))`
export const ofMigrations = `(x.xmin::text = any($2::text[]))`

/**
 * Not older than the snapshot's oldest transaction: cheap, and true of every row for which `written` is. An id has no order
 * but by its bytes as they are sent, the greatest first; its text costs several times that, only one process of several may
 * ask for its `age`, and every other distance is to a counter behind a lock. What is frozen for certain has a smaller id
 * than any transaction.
 */
export const young = `xidsend(x.xmin) >= xidsend(pg_snapshot_xmin($1::pg_snapshot)::text::xid)`

/**
 * Whether the rows can tell. A row carries the lower 32 bits of its transaction's id, a frozen one for ever:
 * once a server has used more than those, an old row may look like a new one. Savepoints that were open at the take have
 * ids that its snapshot does not name, so what they wrote would count as seen. And ids begin anew in a server that was
 * put back to an earlier state.
 */
export async function rowsTell(session: Session, baseline: Baseline, sameLineage: boolean): Promise<boolean> {
  if (baseline.openSavepoints || !sameLineage) return false
  const [row] = await session.query<{ exact: boolean }>(
    `select d.oid = $1::oid and (select system_identifier::text from pg_control_system()) = $2
       and now.xmax >= pg_snapshot_xmax($3::pg_snapshot)::text::numeric and now.xmax < 4294967296
       and now.xmax - pg_snapshot_xmin($3::pg_snapshot)::text::numeric < 2000000000 as exact
     from pg_database d, (select pg_snapshot_xmax(pg_current_snapshot())::text::numeric as xmax) now
     where d.datname = current_database()`,
    [baseline.oid, baseline.systemIdentifier, baseline.snapshot],
  )
  return row?.exact === true
}

/** Those whose transaction certainly happened since; others count as the application's, which errs on the safe side. */
export async function committedSince(
  session: Session,
  baseline: Baseline,
  migrations: readonly OwnWrites[],
): Promise<readonly OwnWrites[]> {
  if (migrations.length === 0) return []
  const rows = await session.query<{ xid: string }>(
    `select x as xid from unnest($1::text[]) x
     where case when x::xid8 < pg_snapshot_xmax(pg_current_snapshot())
       then pg_xact_status(x::xid8) = 'committed' and not pg_visible_in_snapshot(x::xid8, $2::pg_snapshot) else false end`,
    [migrations.map((it) => it.xid), baseline.snapshot],
  )
  return migrations.filter((it) => rows.some(({ xid }) => xid === it.xid))
}
