import { amountOf, placeOf } from '../../plan/exposure.js'
import type { Exposure } from '../../plan/plan.js'
import { columns } from './columns.js'
import { visible } from './visible.js'

/** What would be lost, one table a line, under a line that says how much it is. */
export function renderExposure(exposure: Exposure): string[] {
  if (exposure.tables.length === 0) return ['no rows would be lost']
  const head = ['table', 'inserted', 'updated', 'deleted', 'newest', 'method']
  const rows = exposure.tables.map((it) => [
    visible(placeOf(it)),
    it.inserted,
    it.updated,
    it.deleted,
    visible(it.newest ?? ''),
    visible(it.method),
  ])
  return [`${amountOf(exposure)} would be lost`, ...columns([head, ...rows]).map((line) => `  ${line}`)]
}
