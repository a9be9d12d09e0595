// What the ledger says a guard may go back from, and to.

import { type Recorded, type Release, type RunId, releaseLine } from './ledger.js'
import type { Plan } from './plan.js'

export interface Standing {
  /** What runs, by the restore point that its deploy took; null before the first deploy. */
  readonly release: {
    readonly version: string
    readonly since: string
    readonly id: string
    readonly by: Release['kind']
  } | null
  /** The version that going back would bring. */
  readonly to: string | null
  /** Its deploy brought migrations. */
  readonly schemaChanged: boolean
  /** Why going back by itself is out of the question, whatever the health; null where it is not. */
  readonly never: string | null
}

/** A release that a rollback brought is not gone back from again: whatever is wrong now, that was not its deploy. */
export function standing(records: readonly Recorded[], guard: { readonly target: string }): Standing {
  const current = releaseLine(records).at(-1)
  if (!current) return { release: null, to: null, schemaChanged: false, never: 'no release is recorded yet' }
  const to = versionOf(current.restorePoint)
  const release = { version: current.version, since: current.at, id: current.restorePoint, by: broughtBy(records) }
  const plan = plansOf(records).findLast((it) => it.plan.safety === current.restorePoint)?.plan
  return { release, to, schemaChanged: plan === undefined || migrates(plan), never: never(records, guard, release, to) }
}

function never(
  records: readonly Recorded[],
  { target }: { readonly target: string },
  { version, since, by }: NonNullable<Standing['release']>,
  to: string,
): string | null {
  if (by === 'rollback') return `${version} is what a rollback went back to`
  const own = plansOf(records).find((it) => it.at > since && it.run.workflowId.startsWith(guardRun(target)))
  if (own) return `${own.run.workflowId} was begun for it already`
  return rolledBack(records).includes(to) ? `${to}, which came before it, was itself rolled back` : null
}

/** What runs that a guard starts are called by, before the time. */
export function guardRun(target: string): string {
  return `rollback-${target}-guard-`
}

/** `20261123T140211Z-2.0.0` is of 2.0.0. */
function versionOf(restorePoint: string): string {
  return restorePoint.replace(/^[^-]*-/, '')
}

function migrates({ steps }: Plan): boolean {
  return steps.some(({ act }) => act.name === 'migrateUp' && act.args.migrations.length > 0)
}

function rolledBack(records: readonly Recorded[]): string[] {
  const done = new Set(finished(records).flatMap(({ run, outcome }) => (outcome === 'done' ? [run.runId] : [])))
  return plansOf(records).flatMap(({ plan, run }) =>
    plan.kind === 'rollback' && done.has(run.runId) && plan.before.version !== null ? [plan.before.version] : [],
  )
}

function broughtBy(records: readonly Recorded[]): Release['kind'] {
  return finished(records).findLast((it) => it.outcome === 'done' && it.release)?.release?.kind ?? 'deploy'
}

function finished(records: readonly Recorded[]) {
  return records.flatMap(({ entry, void: isVoid }) => (!isVoid && entry.kind === 'finished' ? [entry] : []))
}

function plansOf(records: readonly Recorded[]): { readonly at: string; readonly run: RunId; readonly plan: Plan }[] {
  return records.flatMap(({ at, entry, void: isVoid }) =>
    !isVoid && entry.kind === 'plan' ? [{ at, run: entry.run, plan: entry.plan }] : [],
  )
}
