// When a fault comes: at a step that the host's own ledger shows, or so long behind the run's start.

import type { LedgerEntry } from '../src/plan/ledger.js'

export type Point =
  | { readonly when: 'before' | 'during' | 'after'; readonly step: string; readonly lateMs: number }
  /** The act is one of the run's undo. */
  | { readonly when: 'undoing'; readonly step: string; readonly lateMs: number }
  | { readonly when: 'later'; readonly lateMs: number }

export function describePoint(point: Point): string {
  const late = `${point.lateMs} ms`
  if (point.when === 'later') return `${late} behind the start`
  const where = point.when === 'undoing' ? `during the undo ${point.step}` : `${point.when} ${point.step}`
  return point.lateMs === 0 ? where : `${where}, ${late} late`
}

/** Whether the run's entries say that the point has come; how late it is meant to be is not looked at. */
export function hasCome(point: Point, entries: readonly LedgerEntry[]): boolean {
  if (point.when === 'later') return true
  const { step } = point
  switch (point.when) {
    case 'before':
      return isBefore(step, entries)
    case 'during':
      return acts(entries, 'start', false).includes(step)
    case 'after':
      return acts(entries, 'end', false).includes(step)
    case 'undoing':
      return acts(entries, 'start', true).includes(step)
  }
}

/** Whether the run does its act, or undoes it, at this moment. */
export function isUnderWay(point: Point, entries: readonly LedgerEntry[]): boolean {
  if (point.when === 'later') return false
  const undo = point.when === 'undoing'
  const last = entries.findLast((it) => 'act' in it && it.act === point.step && it.undo === undo)
  return last?.kind === 'start'
}

/** The step before it has ended: what comes next is the step itself. */
function isBefore(step: string, entries: readonly LedgerEntry[]): boolean {
  const plan = entries.findLast((entry) => entry.kind === 'plan')?.plan
  const names = plan?.steps.map(({ act }) => act.name as string) ?? []
  const index = names.indexOf(step)
  if (index === -1) return false
  // What goes on beside the others may end behind them.
  const before = plan!.steps.slice(0, index).findLast((it) => !it.background)
  return before === undefined || acts(entries, 'end', false).includes(before.act.name)
}

function acts(entries: readonly LedgerEntry[], kind: 'start' | 'end', undo: boolean): string[] {
  return entries.flatMap((entry) => (entry.kind === kind && entry.undo === undo ? [entry.act] : []))
}
