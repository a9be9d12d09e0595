// Exposures put together: what was shown, and what was written since.

import type { ExposedTable, Exposure } from './plan.js'

/** An exposure with what was written since it was counted; what grew is as good as the way by which that was counted. */
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
    method: more.method,
  }
}
