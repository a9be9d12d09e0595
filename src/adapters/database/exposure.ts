// What a way back would lose: rows written since a moment, by table, and honestly how each number was found.

import pg from 'pg'
import type { Counters, DatabaseManifest, TableCounters, TableFacts } from '../../plan/manifest.js'
import type { Session } from './session.js'

/** The moment since which is counted: a restore point, or the end of its migrations, to leave out their own writes. */
export type Baseline = Pick<
  DatabaseManifest,
  'oid' | 'systemIdentifier' | 'snapshot' | 'openSavepoints' | 'counters'
> & {
  readonly tables: readonly Pick<TableFacts, 'schema' | 'name' | 'rows'>[]
}

/**
 * `exact`: by the rows' visibility in the baseline's snapshot. `exact sum`: how many rows differ is exact, how they
 * divide into inserted, updated and deleted is by counters. `counters`: by cumulative counters, which also count what
 * was rolled back. `rows`: by the number of rows alone, which sees no update, when the counters began anew.
 */
export type ExposureMethod = 'exact' | 'exact sum' | 'counters' | 'rows'

export interface TableExposure {
  readonly table: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  /** Newest time in the changed rows, ISO 8601; null where the table keeps none. */
  readonly newest: string | null
  readonly method: ExposureMethod
}

export interface DatabaseExposure {
  readonly total: number
  /** Tables with a difference. */
  readonly tables: readonly TableExposure[]
}

interface LiveTable {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly times: readonly string[]
}

interface Look {
  readonly rows: number
  readonly changed: number | null
  readonly newest: string | null
}

/** Reads every table once, in one snapshot. */
export async function exposure(session: Session, baseline: Baseline): Promise<DatabaseExposure> {
  return session.transaction(async () => {
    const after = await readCounters(session)
    const exact = await canBeExact(session, baseline)
    const before = sameCounting(baseline.counters, after) ? baseline.counters : undefined
    const live = await liveTables(session)
    const tables: TableExposure[] = []
    for (const table of live) {
      const look = await lookAt(session, table, exact ? baseline.snapshot : undefined)
      const rowsBefore = baseline.tables.find((it) => it.schema === table.schema && it.name === table.name)?.rows ?? 0
      tables.push(judge(table, look, rowsBefore, before && difference(table, before, after)))
    }
    return summed([...tables, ...droppedSince(baseline, live)])
  }, 'begin isolation level repeatable read read only')
}

/** Writes between two readings of the counters; undefined where they began anew in between. */
export function writesSince(input: {
  readonly before: Counters
  readonly after: Counters
}): DatabaseExposure | undefined {
  const { before, after } = input
  if (!sameCounting(before, after)) return undefined
  return summed(
    after.tables.map((table) => ({
      ...difference(table, before, after),
      table: label(table),
      newest: null,
      method: 'counters' as const,
    })),
  )
}

/** The cumulative counters, one query over all tables. */
export async function readCounters(session: Session): Promise<Counters> {
  const [row] = await session.query<{ counters: Counters }>(
    `select jsonb_build_object('oid', d.oid::bigint, 'systemIdentifier', (select system_identifier::text from pg_control_system()),
     'statsReset', (select stats_reset from pg_stat_database s where s.datid = d.oid), 'postmasterStart', pg_postmaster_start_time(),
     'tables', (select coalesce(jsonb_agg(jsonb_build_object('oid', relid::bigint, 'schema', schemaname, 'name', relname,
       'inserted', n_tup_ins, 'updated', n_tup_upd, 'deleted', n_tup_del)), '[]') from pg_stat_user_tables)) as counters
     from pg_database d where d.datname = current_database()`,
  )
  return row!.counters
}

/** A baseline of now: taken right behind a migration it counts the application's writes alone. */
export async function readBaseline(session: Session): Promise<Baseline> {
  return session.transaction(async () => {
    const [row] = await session.query<{ snapshot: string; open: boolean }>(
      `select pg_current_snapshot()::text as snapshot, exists (select from pg_snapshot_xip(pg_current_snapshot())) as open`,
    )
    const counters = await readCounters(session)
    const tables = []
    for (const { schema, name, ...table } of await liveTables(session)) {
      const { rows } = await lookAt(session, { schema, name, ...table, times: [] }, undefined)
      tables.push({ schema, name, rows })
    }
    const { oid, systemIdentifier } = counters
    return { oid, systemIdentifier, snapshot: row!.snapshot, openSavepoints: row!.open, counters, tables }
  }, 'begin isolation level repeatable read read only')
}

// A row carries 32 bits of its transaction's id, so half the circle is the reach; savepoints open at the take have ids
// of their own that the snapshot does not name, and would count as seen.
async function canBeExact(session: Session, baseline: Baseline): Promise<boolean> {
  if (baseline.openSavepoints) return false
  const [row] = await session.query<{ exact: boolean }>(
    `select d.oid = $1::oid and (select system_identifier::text from pg_control_system()) = $2
       and (now.xmax >= base.xmax) and (now.xmax - base.xmin < 2000000000) as exact
     from pg_database d,
       (select pg_snapshot_xmax(pg_current_snapshot())::text::numeric as xmax) now,
       (select pg_snapshot_xmax($3::pg_snapshot)::text::numeric as xmax, pg_snapshot_xmin($3::pg_snapshot)::text::numeric as xmin) base
     where d.datname = current_database()`,
    [baseline.oid, baseline.systemIdentifier, baseline.snapshot],
  )
  return row?.exact === true
}

async function liveTables(session: Session): Promise<readonly LiveTable[]> {
  return session.query<LiveTable>(
    `select c.oid, n.nspname as schema, c.relname as name, array(
       select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype) and a.attname = any($1)) as times
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by n.nspname, c.relname`,
    [timeColumns],
  )
}

// Times at which a row was written. Others, as the next run of a job, may lie ahead.
const timeColumns = [
  'created_at',
  'updated_at',
  'modified_at',
  'inserted_at',
  'started_at',
  'finished_at',
  'last_active',
]

async function lookAt(session: Session, table: LiveTable, snapshot: string | undefined): Promise<Look> {
  const relation = `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`
  const times = table.times.map((name) => `nullif(nullif(x.${pg.escapeIdentifier(name)}, 'infinity'), '-infinity')`)
  const newest = times.length > 0 ? `max(greatest(${times.join(', ')})::timestamptz)` : 'null::timestamptz'
  const [row] = await session.query<{ rows: string; changed: string | null; newest: Date | null }>(
    snapshot === undefined
      ? `select count(*) as rows, null as changed, ${newest} as newest from only ${relation} x`
      : `select count(*) as rows, count(*) filter (where ${written}) as changed,
           ${newest}${times.length > 0 ? ` filter (where ${written})` : ''} as newest from only ${relation} x`,
    snapshot === undefined ? [] : [snapshot],
  )
  const { rows, changed } = row!
  return {
    rows: Number(rows),
    changed: changed === null ? null : Number(changed),
    newest: row!.newest?.toISOString() ?? null,
  }
}

// The epoch is the present one, or the one before for an id that would lie ahead. Below 3 a row is frozen.
const full = `(x.xmin::text::bigint + (pg_snapshot_xmax(pg_current_snapshot())::text::bigint >> 32 << 32)
  - case when x.xmin::text::bigint > (pg_snapshot_xmax(pg_current_snapshot())::text::bigint & 4294967295) then 4294967296 else 0 end)`
const written = `x.xmin::text::bigint >= 3 and ${full} > 0 and not pg_visible_in_snapshot(${full}::text::xid8, $1::pg_snapshot)`

// Of rows that differ, rows before and rows now, one number is left open; where they do not fix it counters do.
function judge(
  table: LiveTable,
  look: Look,
  rowsBefore: number,
  counted: { inserted: number; updated: number; deleted: number } | undefined,
): TableExposure {
  const base = { table: label(table), newest: look.newest }
  const least = Math.max(0, look.rows - rowsBefore)
  if (look.changed === null) {
    const byRows = { inserted: least, updated: 0, deleted: Math.max(0, rowsBefore - look.rows) }
    return { ...base, ...(counted ?? byRows), method: counted ? 'counters' : 'rows' }
  }
  const most = look.changed
  const inserted = Math.min(most, Math.max(least, counted?.inserted ?? least))
  const split = { inserted, updated: most - inserted, deleted: Math.max(0, rowsBefore + inserted - look.rows) }
  return { ...base, ...split, method: least === most ? 'exact' : 'exact sum' }
}

function droppedSince(baseline: Baseline, live: readonly LiveTable[]): TableExposure[] {
  return baseline.tables
    .filter((it) => it.schema !== 'pg_catalog' && !live.some((now) => now.schema === it.schema && now.name === it.name))
    .map((it) => ({
      table: label(it),
      inserted: 0,
      updated: 0,
      deleted: it.rows,
      newest: null,
      method: 'rows' as const,
    }))
}

// A crash sets the counters to nothing without a word; a restart is all that can be seen of it.
function sameCounting(before: Counters, after: Counters): boolean {
  return (
    before.oid === after.oid &&
    before.systemIdentifier === after.systemIdentifier &&
    before.statsReset === after.statsReset &&
    before.postmasterStart === after.postmasterStart
  )
}

function difference(
  table: { readonly oid: number },
  before: Counters,
  after: Counters,
): { inserted: number; updated: number; deleted: number } {
  const of = (counters: Counters) => counters.tables.find((it) => it.oid === table.oid)
  const since = (key: keyof TableCounters) =>
    Math.max(0, Number(of(after)?.[key] ?? 0) - Number(of(before)?.[key] ?? 0))
  return { inserted: since('inserted'), updated: since('updated'), deleted: since('deleted') }
}

function summed(tables: readonly TableExposure[]): DatabaseExposure {
  const changed = tables.filter((it) => it.inserted + it.updated + it.deleted > 0 && it.table !== 'migrations')
  return { total: changed.reduce((sum, it) => sum + it.inserted + it.updated + it.deleted, 0), tables: changed }
}

function label(table: { readonly schema: string; readonly name: string }): string {
  return table.schema === 'public' ? table.name : `${table.schema}.${table.name}`
}
