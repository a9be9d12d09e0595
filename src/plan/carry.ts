// Rows that come along when the database goes back: which tables, by what they are known, and what is lost all the same.

import { describeMs } from './duration.js'
import { rowsOf } from './exposure.js'
import { StepbackError } from './failure.js'
import type { Exposure } from './plan.js'

/** What is asked for: tables by name, or all of them. */
export type CarryRequest = readonly string[] | 'all'

/** A table of the live database, as far as it decides what can be carried. */
export interface CarryableTable {
  /** `messages`, or `schema.table` outside of public; of a partition its own. */
  readonly table: string
  /** The partitioned table that it is a part of, else itself. */
  readonly root: string
  /** It has columns by which a row is known for certain. */
  readonly key: boolean
}

/** `ids`: rows by the transactions that wrote them; `key`: rows whose key the other database does not have. */
export type CarryMethod = 'ids' | 'key'

export interface CarriedTable {
  readonly table: string
  readonly method: CarryMethod
  readonly carried: number
  /** Another row has its key, or what else is to be unique. */
  readonly conflicting: number
  /** The schema of then does not take it, or its parent is not there. */
  readonly notFitting: number
  /** Of both, those that were inserted since: rows of the restore point that were changed since are none. */
  readonly lost: number
  /** Columns that the schema of then does not have, and how many carried rows had a value in one. */
  readonly without?: { readonly columns: readonly string[]; readonly rows: number }
  readonly reasons: readonly { readonly why: string; readonly rows: number }[]
}

/** A rehearsal as the ledger keeps it. */
export interface Rehearsal {
  /** ISO 8601, by the host's clock. */
  readonly at: string
  readonly tables: readonly CarriedTable[]
}

/** What a plan says of carrying forward. */
export interface Carry {
  readonly tables: CarryRequest
  /** The last rehearsal of the same; null where there was none. */
  readonly rehearsed: Rehearsal | null
  /** How old it was when the plan was made. */
  readonly ageMs?: number
}

/** Tables of these names that hold rows of their own: records of migrations belong to the schema, and are none. */
export function chosenTables(
  asked: CarryRequest,
  tables: readonly CarryableTable[],
  exposure: Pick<Exposure, 'tables'> | null,
): readonly CarryableTable[] {
  const carryable = tables.filter((it) => !records.includes(it.table))
  const chosen = asked === 'all' ? carryable : named(asked, carryable)
  const unclear = chosen.flatMap((it) => doubtAbout(it, exposure) ?? [])
  if (unclear.length === 0) return chosen
  throw new StepbackError({
    type: 'Refused',
    message: `which rows were inserted since cannot be known: ${unclear.join('; ')}`,
    hint: 'name the other tables with --carry-forward a,b; nothing was changed.',
  })
}

const records = ['migrations', 'alembic_version']

/** Those that are named; `Refused` where one is not there, whatever becomes of their rows. */
export function named(asked: readonly string[], tables: readonly CarryableTable[]): CarryableTable[] {
  const plain = [...new Set(asked.map((it) => it.replace(/^public\./, '')))]
  const unknown = plain.filter((name) => !tables.some((it) => it.table === name || it.root === name))
  if (unknown.length > 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `carryForward: the live database has no table ${unknown.map((it) => `"${it}"`).join(', ')}`,
      hint: `there are: ${[...new Set(tables.map((it) => it.root))].join(', ') || 'none'}.`,
    })
  }
  return tables.filter((it) => plain.includes(it.table) || plain.includes(it.root))
}

/** Without a key only transaction ids tell an inserted row, and only where no other row was changed or removed. */
function doubtAbout({ table, key }: CarryableTable, exposure: Pick<Exposure, 'tables'> | null): string | undefined {
  const written = exposure?.tables.find((it) => it.table === table && it.column === undefined)
  if (key || (exposure && !written)) return undefined
  if (written?.method === 'exact' && written.updated === 0 && written.deleted === 0) return undefined
  return `"${table}" has no primary key, and rows of it may have been changed`
}

/**
 * Of rows that were inserted since, what was not carried is lost, also where nobody saw which those are: a row that came
 * in behind another of the same key looks as if it had always been there.
 */
export function withLosses(carried: readonly CarriedTable[], { tables }: Exposure): readonly CarriedTable[] {
  return carried.map((it) => {
    const inserted = tables.find(({ table, column }) => table === it.table && column === undefined)?.inserted ?? 0
    return { ...it, lost: Math.max(it.lost, inserted - it.carried) }
  })
}

/** What is lost where rows come along: of the carried tables those that do not, and what was changed or removed. */
export function lossBehind(exposure: Exposure, carried: readonly CarriedTable[]): Exposure {
  const tables = exposure.tables.flatMap((it) => {
    const own = it.column === undefined ? carried.find(({ table }) => table === it.table) : undefined
    if (!own) return [it]
    const left = { ...it, inserted: own.lost }
    return left.inserted + left.updated + left.deleted > 0 ? [left] : []
  })
  return { total: rowsOf(tables), tables }
}

/** One line for each table: `messages: 40 carried, 2 conflicting (1 …), 0 not fitting`. */
export function describeCarried(tables: readonly CarriedTable[]): string[] {
  return tables.map(({ table, method, carried, conflicting, notFitting, without, reasons }) => {
    const why = reasons.map((it) => `${it.rows} ${it.why}`)
    const cut = without ? [`${without.rows} without ${without.columns.join(', ')}`] : []
    const more = [...cut, ...why].join('; ')
    const by = method === 'ids' ? 'exact' : 'by key'
    const figures = `${carried} carried, ${conflicting} conflicting, ${notFitting} not fitting (${by})`
    return `${table}: ${figures}${more === '' ? '' : `: ${more}`}`
  })
}

/** In the words of a plan: what comes along, by the last rehearsal and its age. */
export function describeCarry({ tables, rehearsed, ageMs }: Carry): string[] {
  const what = `carry forward ${tables === 'all' ? 'all tables' : tables.join(', ')}`
  if (!rehearsed) return [`${what}: not rehearsed`]
  const when = `rehearsed ${describeMs(ageMs ?? 0)} ago`
  if (rehearsed.tables.length === 0) return [`${what}: ${when}: no rows were inserted since`]
  return [`${what}: ${when}`, ...describeCarried(rehearsed.tables).map((line) => `carry forward ${line}`)]
}

/** In the words that a step shows. */
export function carriedInWords(tables: readonly CarriedTable[]): string {
  return tables.length === 0 ? 'no rows were inserted since' : describeCarried(tables).join(' | ')
}
