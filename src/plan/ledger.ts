// What the host's ledger means: which release is current, what was good before, and which runs left a debt.

import type { Step } from './act.js'
import type { CarriedTable, CarryRequest, Rehearsal } from './carry.js'
import type { Plan } from './plan.js'

export interface RunId {
  readonly workflowId: string
  readonly runId: string
}

/** 8 hex digits of a run's id: the last ones, since it begins with the time, which runs of one minute share. */
export function runDigits({ runId }: Pick<RunId, 'runId'>): string {
  return runId.replaceAll('-', '').slice(-8)
}

export type LedgerEntry =
  | { readonly kind: 'acquired'; readonly run: RunId; readonly saw: string }
  | { readonly kind: 'plan'; readonly run: RunId; readonly plan: Plan }
  | { readonly kind: 'start'; readonly run: RunId; readonly step: number; readonly act: string; readonly undo: boolean }
  | {
      readonly kind: 'end'
      readonly run: RunId
      readonly step: number
      readonly act: string
      readonly undo: boolean
      readonly outcome: 'done' | 'failed'
      readonly detail?: string
    }
  | {
      readonly kind: 'finished'
      readonly run: RunId
      readonly outcome: string
      readonly release?: Release
      /** It put the whole target back, as the script on the host does: what was open before it is closed with it. */
      readonly settles?: true
    }
  | { readonly kind: 'debt-closed'; readonly run: RunId; readonly how: 'undone' | 'accepted' }
  /** What was tried before anybody was asked. */
  | {
      readonly kind: 'rehearsed'
      readonly run: RunId
      readonly restorePoint: string
      readonly tables: CarryRequest
      readonly carried: readonly CarriedTable[]
    }
  /** The application was stopped on purpose, and what ran then; a guard has nothing to say until it is started again. */
  | { readonly kind: 'stopped'; readonly run: RunId; readonly ran?: readonly string[] }
  | { readonly kind: 'started'; readonly run: RunId }

/** What a finished run left running. */
export interface Release {
  readonly kind: 'deploy' | 'rollback'
  readonly version: string
  /** The restore point taken just before a deploy, or the one that a rollback went back to. */
  readonly restorePoint: string
  /** Paths that the release brought, under the project directory. */
  readonly paths: readonly string[]
  /** The checksum of its compiled migrations, which are kept on the host. */
  readonly migrations?: string
}

export interface Recorded {
  readonly at: string
  readonly token: number
  readonly entry: LedgerEntry
  readonly void: boolean
}

/** A run that was closed or fenced without an end in the ledger. */
export interface Debt {
  readonly run: RunId
  readonly plan: Plan
  /** Indexes of the steps that had started, in the plan's order; their undos pay the debt. */
  readonly started: readonly number[]
  /** Set where undoing by itself is not allowed; a person decides. */
  readonly ask?: string
  /** The same, for once a person kept what a later debt did: it lies upon this one. */
  readonly askOnceKept?: string
}

type Line = readonly (Release & { readonly at: string })[]

/**
 * The good releases that lead to what runs now, oldest first. A rollback brings back the line as it was when its restore
 * point was taken, which a rollback of that rollback finds again: by the plan that took it, else by its time.
 */
export function releaseLine(records: readonly Recorded[]): Line {
  const lines: { readonly at: string; readonly line: Line }[] = [{ at: '', line: [] }]
  const takenAt = new Map<string, Line>()
  for (const { at, entry } of inForce(records)) {
    const { line } = lines.at(-1)!
    if (entry.kind === 'plan') takenAt.set(entry.plan.safety, line)
    if (entry.kind !== 'finished' || entry.outcome !== 'done' || !entry.release) continue
    const { release } = entry
    const taken = restorePointTime(release.restorePoint)
    const then = takenAt.get(release.restorePoint) ?? lines.findLast((earlier) => earlier.at < taken)!.line
    lines.push({ at, line: release.kind === 'deploy' ? [...line, { ...release, at }] : then })
  }
  return lines.at(-1)!.line
}

/** Every path that a recorded release brought. */
export function broughtPaths(records: readonly Recorded[]): string[] {
  const paths = inForce(records).flatMap(({ entry }) => (entry.kind === 'finished' ? (entry.release?.paths ?? []) : []))
  return [...new Set(paths)].toSorted()
}

/** When each migration was last applied or adopted, by its full name. */
export function appliedTimes(records: readonly Recorded[]): ReadonlyMap<string, string> {
  const plans = new Map<string, Plan>()
  const times = new Map<string, string>()
  for (const { at, entry } of inForce(records)) {
    if (entry.kind === 'plan') plans.set(entry.run.runId, entry.plan)
    if (entry.kind !== 'end' || entry.outcome !== 'done') continue
    const step = plans.get(entry.run.runId)?.steps[entry.step]
    const act = [step?.act, ...(step?.undo ?? [])].find((it) => it?.name === entry.act)
    if (act?.name !== 'migrateUp' && act?.name !== 'adoptMigrations') continue
    for (const name of act.args.migrations) times.set(name, at)
  }
  return times
}

/** Checksums of compiled migrations that runs kept on the host, or were about to, newest first. */
export function keptMigrations(records: readonly Recorded[]): string[] {
  const steps = inForce(records).flatMap(({ entry }) => (entry.kind === 'plan' ? entry.plan.steps : []))
  const kept = steps.flatMap(({ act }) => (act.name === 'keepMigrations' ? [act.args.sha256] : []))
  return [...new Set(kept.toReversed())]
}

/** The stop on purpose that is in force, and what ran before it; null where a start or a whole release came since. */
export function stopInForce(
  records: readonly Recorded[],
): { readonly by: string; readonly since: string; readonly ran: readonly string[] } | null {
  const last = inForce(records).findLast(({ entry }) => entry.kind === 'stopped' || startsAll(entry))
  if (last?.entry.kind !== 'stopped') return null
  const { run, ran = [] } = last.entry
  return { by: run.workflowId, since: last.at, ran }
}

/** Behind a deploy, or a rollback of a whole release, every service runs. */
function startsAll(entry: LedgerEntry): boolean {
  if (entry.kind === 'finished') return entry.outcome === 'done' && entry.release !== undefined
  return entry.kind === 'started'
}

/** Runs whose plan has no end and that are not `self`, newest first, each with what pays it. */
export function debts(records: readonly Recorded[], self: RunId): Debt[] {
  const entries = inForce(records).map((record) => record.entry)
  const open = openPlans(entries).filter((entry) => entry.run.runId !== self.runId)
  const found = open.toReversed().map((entry) => debt(entry, entries))
  const asks = found.findIndex((it) => it.ask !== undefined)
  return found.map((it, index) => (asks >= 0 && asks < index ? below(found[asks]!, it) : it))
}

// Only the script on the host begins upon another run's debt, and what it puts back is the whole target.
function below(upper: Debt, debt: Debt): Debt {
  return { ...debt, askOnceKept: `what ${upper.run.workflowId} did upon it was kept` }
}

/** The plan of a deploy that has not ended: what it brings counts as current already. */
export function openDeploy(records: readonly Recorded[]): Plan | undefined {
  const open = openPlans(inForce(records).map((record) => record.entry))
  return open.map((entry) => entry.plan).findLast((plan) => plan.kind === 'deploy')
}

/** A deploy that could not put everything back, and behind which no release came whole: what it left may still run. */
export function leftDeploy(records: readonly Recorded[]): Plan | undefined {
  const plans = new Map<string, Plan>()
  let left: Plan | undefined
  for (const { entry } of inForce(records)) {
    if (entry.kind === 'plan' && entry.plan.kind === 'deploy') plans.set(entry.run.runId, entry.plan)
    if (entry.kind !== 'finished') continue
    if (entry.outcome === 'not-undone') left = plans.get(entry.run.runId) ?? left
    if (startsAll(entry)) left = undefined
  }
  return left
}

/** Restore points that going back by itself may need: of the release line, and of runs without an end. */
export function heldRestorePoints(records: readonly Recorded[]): string[] {
  const current = releaseLine(records).at(-1)
  return [...(current ? [current.restorePoint] : []), ...openRestorePoints(records)]
}

/** Restore points that runs without an end took, or go back to. */
export function openRestorePoints(records: readonly Recorded[]): string[] {
  const open = openPlans(inForce(records).map((record) => record.entry))
  return open.flatMap(({ plan }) => [plan.safety, ...(plan.restorePoint ? [plan.restorePoint] : [])])
}

/** Runs that began to change something and have no end: whoever is next undoes them first. */
export function openRuns(records: readonly Recorded[]): RunId[] {
  return openPlans(inForce(records).map((record) => record.entry)).map(({ run }) => run)
}

/** Restore points that were taken while some containers ran another version than the files. */
export function mixedRestorePoints(records: readonly Recorded[]): ReadonlySet<string> {
  const plans = new Map<string, Plan>()
  const mixed = new Set<string>()
  let isMixed = false
  for (const { entry } of inForce(records)) {
    if (entry.kind === 'plan') {
      plans.set(entry.run.runId, entry.plan)
      if (isMixed) mixed.add(entry.plan.safety)
    }
    if (entry.kind !== 'finished' || entry.outcome !== 'done') continue
    if (entry.release) isMixed = false
    else if (plans.get(entry.run.runId)?.scope === 'containers') isMixed = true
  }
  return mixed
}

/** Only then can whoever goes back there be asked for its version. */
export function isOfOneVersion(records: readonly Recorded[], { id }: { readonly id: string }): boolean {
  return !mixedRestorePoints(records).has(id)
}

/** Where the run went back to that took this restore point; undefined where it went back to none. */
export function leftFor(records: readonly Recorded[], safety: string): string | undefined {
  const plans = inForce(records).flatMap(({ entry }) => (entry.kind === 'plan' ? [entry.plan] : []))
  return plans.findLast((plan) => plan.safety === safety)?.restorePoint
}

/** The last rehearsal of carrying these rows, while no other run has changed the target since. */
export function lastRehearsal(
  records: readonly Recorded[],
  asked: { readonly restorePoint: string; readonly tables: CarryRequest },
): Rehearsal | undefined {
  const entries = inForce(records)
  const name = (tables: CarryRequest) => (tables === 'all' ? 'all' : JSON.stringify([...new Set(tables)].toSorted()))
  const at = entries.findLastIndex(
    ({ entry }) =>
      entry.kind === 'rehearsed' &&
      entry.restorePoint === asked.restorePoint &&
      name(entry.tables) === name(asked.tables),
  )
  const found = entries[at]
  if (found?.entry.kind !== 'rehearsed') return undefined
  const { run, carried } = found.entry
  const changed = entries
    .slice(at)
    .some(({ entry }) => entry.kind === 'plan' && entry.plan.kind !== 'rehearsal' && entry.run.runId !== run.runId)
  return changed ? undefined : { at: found.at, tables: carried }
}

/** `20261123T140211Z-2.0.0` as `2026-11-23T14:02:11Z`. */
export function restorePointTime(id: string): string {
  return id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/s, '$1-$2-$3T$4:$5:$6Z')
}

/** The id of a restore point that captures `version` at that time (ISO 8601). */
export function restorePointId(input: { readonly at: string; readonly version: string }): string {
  return `${input.at.replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}-${input.version}`
}

/** In the order of the chain; an entry of a smaller token behind a greater token's is void for every reader. */
function inForce(records: readonly Recorded[]): Recorded[] {
  return records.filter((record) => !record.void)
}

type PlanEntry = Extract<LedgerEntry, { kind: 'plan' }>

/** Plans without an end, oldest first. */
function openPlans(entries: readonly LedgerEntry[]): PlanEntry[] {
  const open = new Map<string, PlanEntry>()
  for (const entry of entries) {
    if (entry.kind === 'plan') open.set(entry.run.runId, entry)
    if (entry.kind === 'finished' && entry.settles) open.clear()
    if (entry.kind === 'finished' || entry.kind === 'debt-closed') open.delete(entry.run.runId)
  }
  return [...open.values()]
}

function debt(entry: PlanEntry, entries: readonly LedgerEntry[]): Debt {
  // What the same run had rehearsed before this plan was a plan of its own, and is over.
  const mine = entries.slice(entries.indexOf(entry)).filter((other) => other.run.runId === entry.run.runId)
  const started = new Set(mine.flatMap((other) => (other.kind === 'start' && !other.undo ? [other.step] : [])))
  const indexes = entry.plan.steps.map((_step, index) => index).filter((index) => started.has(index))
  const ask = askBefore(
    entry.plan,
    indexes.map((index) => entry.plan.steps[index]!),
  )
  return { run: entry.run, plan: entry.plan, started: indexes, ...(ask === undefined ? {} : { ask }) }
}

function askBefore(plan: Plan, started: readonly Step[]): string | undefined {
  if ((plan.kind === 'rollback' || plan.kind === 'emergency') && started.some((step) => step.commit)) {
    return `${plan.kind === 'rollback' ? 'a rollback' : 'an emergency'} that reached its commit step is not undone by itself`
  }
  return undefined
}
