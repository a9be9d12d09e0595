// What a way back would lose: rows written since a restore point, by table, and honestly how each number was found.

import pg from 'pg'
import type { Counters, DatabaseManifest, TableFacts } from '../../plan/manifest.js'
import type { Exposure, ExposedTable } from '../../plan/plan.js'
import {
  type OwnWrites,
  type Writes,
  byKind,
  ownWritesTo,
  readCounters,
  sameCounting,
  settled,
  writesBetween,
} from './counters.js'
import type { Session } from './session.js'
import { type Since, committedSince, ofMigrations, rowsTell, written, young } from './written-since.js'

/** The restore point since which is counted. */
export type Baseline = Pick<
  DatabaseManifest,
  'oid' | 'systemIdentifier' | 'snapshot' | 'openSavepoints' | 'counters'
> & {
  readonly tables: readonly Pick<TableFacts, 'schema' | 'name' | 'rows'>[]
}

/** What the journal, which lives in the same server, knows of the time since. */
export interface Remembered {
  /** It remembers that the restore point was taken: what the server holds now grew out of what was captured. */
  readonly taken: boolean
  /** Migrations that ran in this database, whose own writes are not the application's. */
  readonly migrations: readonly OwnWrites[]
}

export const nothingRemembered: Remembered = { taken: false, migrations: [] }

/**
 * `exact`: by the rows' visibility in the restore point's snapshot. `exact sum`: how many rows differ is exact, how
 * they divide into inserted, updated and deleted is by counters. `counters`: by cumulative counters, which also count
 * what was rolled back. `rows`: by the number of rows alone, which sees no update, when the counters began anew.
 */
export type ExposureMethod = 'exact' | 'exact sum' | 'counters' | 'rows'

interface TableExposure extends ExposedTable {
  readonly method: ExposureMethod
}

/** An exposure, and the counters of the moment at which it was counted: what is written later shows in them. */
export interface Counted {
  readonly exposure: Exposure
  readonly counters: Counters
}

interface LiveTable {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly times: readonly string[]
}

interface Look {
  readonly rows: number
  /** Written since by others than the migrations; null where transaction ids cannot tell. */
  readonly changed: number | null
  /** As the migrations left them. */
  readonly own: number
  readonly newest: string | null
}

/** Reads every table once, in one snapshot. */
export async function countExposure(
  session: Session,
  baseline: Baseline,
  remembered: Remembered = nothingRemembered,
): Promise<Counted> {
  return session.transaction(async () => {
    // Compiling the query of a large table takes longer than what it saves; and large ones may take their time.
    await session.query('set local jit = off; set local statement_timeout = 0')
    const after = await readCounters(session)
    const tell = await rowsTell(session, baseline, remembered.taken || sameServer(baseline.counters, after))
    const before = sameCounting(baseline.counters, after, remembered.taken) ? baseline.counters : undefined
    const migrations = await committedSince(session, baseline, remembered.migrations)
    const since = tell ? { snapshot: baseline.snapshot, migrations } : undefined
    const live = await liveTables(session)
    const tables = new Map<number, TableExposure>()
    for await (const [table, look] of looksAt(session, live, since)) {
      const rowsBefore = baseline.tables.find((it) => it.schema === table.schema && it.name === table.name)?.rows ?? 0
      const counted = before && writesBetween(table.oid, before, after)
      tables.set(table.oid, judge(table, look, { rowsBefore, counted, own: ownWritesTo(table.oid, migrations) }))
    }
    const seen = new Map([...tables].map(([oid, it]) => [oid, [it, ownWritesTo(oid, migrations)]] as const))
    return {
      exposure: summed([...tables.values(), ...droppedSince(baseline, live)]),
      counters: before ? settled(before, after, seen) : after,
    }
  }, 'begin isolation level repeatable read read only')
}

/** Writes between two readings of the counters; undefined where they began anew in between. */
export function writesSince(input: { readonly before: Counters; readonly after: Counters }): Exposure | undefined {
  const { before, after } = input
  if (!sameCounting(before, after, false)) return undefined
  return summed(
    after.tables.map((table) => ({
      ...writesBetween(table.oid, before, after),
      table: label(table),
      newest: null,
      method: 'counters' as const,
    })),
  )
}

/**
 * What was written between two restore points, the older one first, without what migrations wrote themselves: by the
 * counters that both keep; undefined where these began anew, or the databases are two.
 */
export function writtenBetween(
  older: DatabaseManifest,
  newer: DatabaseManifest,
  own: readonly OwnWrites[],
): Exposure | undefined {
  const { counters: before } = older
  const { counters: after } = newer
  if (!sameCounting(before, after, true)) return undefined
  const tables = after.tables.map((table): TableExposure => {
    const [all, mine] = [writesBetween(table.oid, before, after), ownWritesTo(table.oid, own)]
    const writes = byKind((kind) => Math.max(0, all[kind] - mine[kind]))
    return { ...writes, table: label(table), newest: null, method: 'counters' }
  })
  return summed([...tables, ...droppedSince(older, newer.tables)])
}

export function sameServer(before: Counters, after: Counters): boolean {
  return before.postmasterStart === after.postmasterStart
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

/** So many tables are asked about in one query, since the way to the server may be longer than a small table. */
const portion = 50

async function* looksAt(
  session: Session,
  tables: readonly LiveTable[],
  since: Since | undefined,
): AsyncGenerator<readonly [LiveTable, Look]> {
  const values = since ? [since.snapshot, since.migrations.map((it) => it.xid)] : []
  for (let at = 0; at < tables.length; at += portion) {
    const asked = tables.slice(at, at + portion)
    const rows = await session.query<{
      readonly oid: number
      readonly rows: string
      readonly changed: string | null
      readonly own: string
      readonly newest: Date | null
    }>(asked.map((table) => lookSql(table, since)).join('\nunion all '), values)
    for (const { oid, rows: all, changed, own, newest } of rows) {
      const look = { rows: Number(all), changed: changed === null ? null : Number(changed), own: Number(own) }
      yield [asked.find((it) => it.oid === oid)!, { ...look, newest: newest?.toISOString() ?? null }]
    }
  }
}

function lookSql(table: LiveTable, since: Since | undefined): string {
  const relation = `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`
  const times = table.times.map((name) => `nullif(nullif(x.${pg.escapeIdentifier(name)}, 'infinity'), '-infinity')`)
  const filter = since ? `filter (where ${young} and ${written} and not ${ofMigrations})` : ''
  const newest = times.length > 0 ? `max(greatest(${times.join(', ')})::timestamptz) ${filter}` : 'null::timestamptz'
  const own = since && since.migrations.length > 0 ? `${young} and ${ofMigrations}` : 'false'
  const changed = since ? `count(*) ${filter}` : 'null::bigint'
  return `select ${table.oid}::oid as oid, count(*) as rows, ${changed} as changed,
  count(*) filter (where ${own}) as own, ${newest} as newest from only ${relation} x`
}

/**
 * Of rows that differ, rows before and rows now, one number is left open; where they do not fix it counters do. In a
 * table that a migration wrote to, what the application had written before is gone under it: only counters saw that.
 */
function judge(
  table: LiveTable,
  look: Look,
  input: { readonly rowsBefore: number; readonly counted: Writes | undefined; readonly own: Writes },
): TableExposure {
  const { rowsBefore, counted, own } = input
  const base = { table: label(table), newest: look.newest }
  const migrated = look.own > 0 || own.inserted + own.updated + own.deleted > 0
  if (look.changed === null || (migrated && counted)) {
    const grown = look.rows - rowsBefore - own.inserted + own.deleted
    const least = { inserted: Math.max(0, grown), updated: 0, deleted: Math.max(0, -grown) }
    if (!counted) return { ...base, ...least, method: 'rows' }
    return { ...base, ...byKind((kind) => Math.max(least[kind], counted[kind] - own[kind])), method: 'counters' }
  }
  const least = Math.max(0, look.rows - rowsBefore)
  const most = look.changed + look.own
  const inserted = Math.min(most, Math.max(least, counted?.inserted ?? least))
  const split = { inserted, updated: most - inserted, deleted: Math.max(0, rowsBefore + inserted - look.rows) }
  return { ...base, ...split, method: least === most ? 'exact' : 'exact sum' }
}

function droppedSince(
  baseline: Pick<Baseline, 'tables'>,
  live: readonly { readonly schema: string; readonly name: string }[],
): TableExposure[] {
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

function summed(tables: readonly TableExposure[]): Exposure {
  const changed = tables.filter((it) => it.inserted + it.updated + it.deleted > 0 && it.table !== 'migrations')
  return { total: changed.reduce((sum, it) => sum + it.inserted + it.updated + it.deleted, 0), tables: changed }
}

function label(table: { readonly schema: string; readonly name: string }): string {
  return table.schema === 'public' ? table.name : `${table.schema}.${table.name}`
}
