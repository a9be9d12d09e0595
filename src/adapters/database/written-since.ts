// Which rows were written since a restore point, by the ids of transactions that the rows themselves carry.

import type { Baseline } from './exposure.js'
import type { OwnWrites } from './counters.js'
import type { Session } from './session.js'

/** How rows are asked; in each condition the row is `x`, `$1` is the snapshot, and `$2` the ids of the migrations. */
export interface Reading {
  readonly snapshot: string
  /** Not older than the snapshot's oldest transaction: cheap, and true of every row for which `written` is. */
  readonly young: string
  /** The same in half the time, if `stood` is true when all rows were asked. */
  readonly quick?: { readonly young: string; readonly stood: string }
}

export interface Since extends Reading {
  /** Migrations since, and what each wrote itself. */
  readonly migrations: readonly OwnWrites[]
}

export const written = `(not pg_visible_in_snapshot(x.xmin::text::xid8, $1::pg_snapshot))`
export const ofMigrations = `(x.xmin::text = any($2::text[]))`

// An id has no order but by its text. What is frozen for certain has a smaller id than any transaction.
const oldest = `pg_snapshot_xmin($1::pg_snapshot)::text`
export const young = `x.xmin::text::bigint >= ${oldest}::bigint`

// `age` of an id would cost a tenth of its text, but only one process of several may ask for that. `mxid_age` takes the
// same type, every process may ask, and it is the distance to a counter all the same: the smaller, the younger. The
// counter may grow between its two readings, the row's first, so a row seems younger if anything.
const distance = `mxid_age(${oldest}::xid)`
const youngByDistance = `mxid_age(x.xmin) <= ${distance}`

/** Each reading of the counter takes a lock that all processes want, so the distance is not measured again for each row. */
function whileItStands(measured: number): NonNullable<Reading['quick']> {
  return { young: `mxid_age(x.xmin) <= ${measured}`, stood: `${distance} = ${measured}` }
}

/**
 * Undefined where the rows cannot tell. A row carries the lower 32 bits of its transaction's id, a frozen one for ever:
 * once a server has used more than those, an old row may look like a new one. Savepoints that were open at the take have
 * ids that its snapshot does not name, so what they wrote would count as seen. And ids begin anew in a server that was
 * put back to an earlier state.
 */
export async function readingOf(
  session: Session,
  baseline: Baseline,
  sameLineage: boolean,
): Promise<Reading | undefined> {
  if (baseline.openSavepoints || !sameLineage) return undefined
  // A distance has 31 bits and a sign: it has an order as long as neither end needs more.
  const [row] = await session.query<{ exact: boolean; near: boolean; distance: number }>(
    `select d.oid = $1::oid and (select system_identifier::text from pg_control_system()) = $2
       and now.xmax >= pg_snapshot_xmax($3::pg_snapshot)::text::numeric and now.xmax < 4294967296
       and now.xmax - pg_snapshot_xmin($3::pg_snapshot)::text::numeric < 2000000000 as exact,
       now.xmax < 2147483648 and mxid_age('1'::xid) between 0 and 2000000000 as near,
       mxid_age((pg_snapshot_xmin($3::pg_snapshot)::text::numeric % 4294967296)::text::xid) as distance
     from pg_database d, (select pg_snapshot_xmax(pg_current_snapshot())::text::numeric as xmax) now
     where d.datname = current_database()`,
    [baseline.oid, baseline.systemIdentifier, baseline.snapshot],
  )
  if (row?.exact !== true) return undefined
  const { snapshot } = baseline
  return row.near ? { snapshot, young: youngByDistance, quick: whileItStands(row.distance) } : { snapshot, young }
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
