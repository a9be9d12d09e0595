// How long things took on this host before, by its own ledger: what an estimate may rest on.

import type { Act } from './act.js'
import type { LedgerEntry, Recorded } from './ledger.js'
import type { Plan } from './plan.js'
import type { Strategy } from './request.js'

/** What an act took when it was last done, by its name; the host's clock tells whole seconds. */
export function measured(records: readonly Recorded[]): ReadonlyMap<string, number> {
  const plans = new Map<string, Plan>()
  const begun = new Map<string, string>()
  const took = new Map<string, number>()
  for (const { at, entry, void: fenced } of records) {
    if (fenced) continue
    if (entry.kind === 'plan') plans.set(entry.run.runId, entry.plan)
    if (entry.kind === 'start') begun.set(keyOf(entry), at)
    if (entry.kind !== 'end' || entry.outcome !== 'done') continue
    const since = begun.get(keyOf(entry))
    if (since && isWhole(actOf(plans, entry))) took.set(entry.act, Date.parse(at) - Date.parse(since))
  }
  return took
}

/** What going back by a strategy takes of the database's part; null where its longest act was never done here. */
export function estimateMs(strategy: Strategy, took: ReadonlyMap<string, number>): number | null {
  const parts = work[strategy].map((names) => names.map((name) => took.get(name)).find((ms) => ms !== undefined))
  if (parts[0] === undefined) return null
  return parts.reduce<number>((sum, ms) => sum + (ms ?? 0), 0)
}

// The longest first; of several names the first that was measured. Ups and downs are of one size, and so is a proof.
const work: Readonly<Record<Strategy, readonly (readonly string[])[]>> = {
  migrate: [['takeRestorePoint'], ['migrateDown', 'migrateUp']],
  swap: [['swapDatabase']],
  restore: [['restoreDatabase', 'proveRestorePoint'], ['swapDatabase']],
}

type Moment = Extract<LedgerEntry, { kind: 'start' | 'end' }>

function keyOf({ run, step, act, undo }: Moment): string {
  return `${run.runId} ${step} ${act} ${undo}`
}

function actOf(plans: ReadonlyMap<string, Plan>, { run, step, act }: Moment): Act | undefined {
  const planned = plans.get(run.runId)?.steps[step]
  return [planned?.act, ...(planned?.undo ?? [])].find((it) => it?.name === act)
}

/** A restore point without its database says nothing about one with it, nor a copy of a copy about a restore. */
function isWhole(act: Act | undefined): boolean {
  if (act?.name === 'restoreDatabase') return act.args.copyOf === undefined
  return act?.name !== 'takeRestorePoint' || act.args.database === 'dump'
}
