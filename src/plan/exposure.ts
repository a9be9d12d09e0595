// Exposures put together, and put into words.

import type { Facts } from './facts.js'
import { leftFor } from './ledger.js'
import type { DatabaseManifest, Manifest } from './manifest.js'
import type { ExposedTable, Exposure } from './plan.js'

/**
 * The restore point since which rows count as lost by going back to this one. A kept database has no figures of its own:
 * it made way for one of another restore point, which may itself be a kept one, after an undo was undone.
 */
export function countedSince(facts: Pick<Facts, 'records' | 'manifests'>, manifest: Manifest): Manifest | undefined {
  if (!manifest.kept) return manifest
  const left = leftFor(facts.records, manifest.id)
  const next = facts.manifests.find((it) => it.id === left)
  return next && countedSince(facts, next)
}

/** An exposure with what was written since it was counted: what grew is as good as its newer part, whose newest row nobody saw. */
export function grownBy(shown: Exposure, since: Exposure): Exposure {
  const grown = shown.tables.map((table) => {
    const more = since.tables.find((it) => it.table === table.table && table.column === undefined)
    return more ? sumOf(table, more) : table
  })
  const fresh = since.tables.filter((it) => !shown.tables.some((table) => table.table === it.table))
  return { ...shown, total: shown.total + since.total, tables: [...grown, ...fresh] }
}

function sumOf(table: ExposedTable, more: ExposedTable): ExposedTable {
  return {
    ...table,
    inserted: table.inserted + more.inserted,
    updated: table.updated + more.updated,
    deleted: table.deleted + more.deleted,
    newest: null,
    method: more.method,
  }
}

/**
 * What lies between two restore points, the older one first: rows by their number, and where only their hash tells that
 * they differ, one of them at least.
 */
export function differenceBetween(older: Captured, newer: Captured): Exposure {
  const places = new Map([...older.tables, ...newer.tables].map((it) => [`${it.schema}.${it.name}`, it]))
  const tables = [...places.values()].flatMap(({ schema, name }) => {
    const [then, now] = [older, newer].map((it) => it.tables.find((at) => at.schema === schema && at.name === name))
    if (name === 'migrations' || (then?.rows === now?.rows && then?.hash === now?.hash)) return []
    const grown = (now?.rows ?? 0) - (then?.rows ?? 0)
    const rows = { inserted: Math.max(0, grown), updated: grown === 0 ? 1 : 0, deleted: Math.max(0, -grown) }
    return [{ table: schema === 'public' ? name : `${schema}.${name}`, ...rows, newest: null, method: 'at least' }]
  })
  return { total: rowsOf(tables), tables }
}

type Captured = Pick<DatabaseManifest, 'tables'>

/** `412 rows`, `412 rows and 3 values of columns`. */
export function amountOf({ tables, total }: Exposure): string {
  const values = tables.reduce((sum, table) => sum + (table.column === undefined ? 0 : table.deleted), 0)
  const others = [
    ...(values > 0 ? [`${counted(values, 'value')} of columns`] : []),
    ...(tables.some(({ method }) => method === uncounted) ? ['what nobody could count'] : []),
  ]
  const parts = [...(total > 0 || others.length === 0 ? [counted(total, 'row')] : []), ...others]
  return parts.join(' and ')
}

/** Values of columns that a down drops are shown beside the rows, and are none: the rows stay, and a dump has them. */
export function rowsOf(tables: readonly ExposedTable[]): number {
  const rows = tables.filter((table) => table.column === undefined)
  return rows.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0)
}

/** What a down would lose for good, values of columns like rows: no dump was taken since. The most where nobody can count it. */
export function lostForGood(tables: readonly ExposedTable[]): number {
  if (tables.some(({ method }) => method === uncounted)) return Number.MAX_SAFE_INTEGER
  return tables.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0)
}

/** The method of what is known to be lost and cannot be counted. */
export const uncounted = 'unknown'

/** `messages`, or `messages.agent_id` for a column. */
export function placeOf({ table, column }: ExposedTable): string {
  return column === undefined ? table : `${table}.${column}`
}

/** What a down loses, one phrase for each table or column. */
export function lossesOf(tables: readonly ExposedTable[]): string[] {
  return tables.map((it) =>
    it.column === undefined
      ? `loses table ${it.table} (${counted(it.deleted, 'row')})`
      : `loses column ${placeOf(it)} (${counted(it.deleted, 'value')})`,
  )
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
