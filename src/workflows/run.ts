// The story of every run: plan, gate, lease, debts of others, the plan again, its steps, what is seen at the end.

import {
  ApplicationFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow'
import type { Asked, WrittenEnd } from '../plan/audit.js'
import { endNotice } from '../plan/notice.js'
import type { Plan, PlannedChecks, RunKind } from '../plan/plan.js'
import { type HealthReport, type Phase, type RunResult, safetyOf } from '../plan/progress.js'
import { spansOf } from '../plan/trace.js'
import { acts, briefActs, stubbornActs } from './activities.js'
import { Gate } from './gate.js'
import { startingOver, takeLease } from './lease.js'
import { measure } from './measure.js'
import { progressQuery } from './messages.js'
import { type Failed, GiveUp, failureOf, outliving } from './perform.js'
import { rehearse } from './rehearsal.js'
import { RunState, now } from './state.js'
import type { Ending } from './trail.js'
import { type Lease, Walk } from './walk.js'

export async function run(kind: RunKind, request: unknown): Promise<RunResult> {
  const state = new RunState(kind, request)
  setHandler(progressQuery, () => state.result ?? state.progress, {
    description: 'What the run is doing, and how far it is',
  })
  const gate = new Gate(state)
  state.show()
  try {
    const done = await tell(state, gate, request)
    tellEnd(state, request, null)
    return done
  } catch (error) {
    state.notices.learn(error)
    const failure = await ended(state, error)
    tellEnd(state, request, failureOf(failure))
    throw failure
  } finally {
    await CancellationScope.nonCancellable(() => state.notices.begun())
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished))
  }
}

/** Whoever only looked has the answer before their eyes. */
function tellEnd(state: RunState, request: unknown, failed: Failed | null): void {
  if ((request as { dryRun?: unknown } | null)?.dryRun === true) return
  measure(state.progress, failed?.type)
  state.notices.tell(endNotice(state.told, failed?.message ?? null), () => spansOf(state.progress))
}

async function tell(state: RunState, gate: Gate, request: unknown): Promise<RunResult> {
  const plan = await makePlan(state, request)
  if ((request as { dryRun?: unknown }).dryRun === true) return result(state, { phase: 'done', plan, health: [] })
  if (plan.checks) await runChecks(plan, plan.checks)
  const shown = plan.rehearsal && !plan.already ? await rehearsed(state, gate, request, plan) : plan
  if (!shown.already) await askForApproval(state, gate, shown)
  return await startingOver(state, () => underLease(state, gate, request, shown))
}

async function rehearsed(state: RunState, gate: Gate, request: unknown, plan: Plan): Promise<Plan> {
  await rehearse(state, gate, plan)
  return await makePlan(state, request, plan.restorePoint)
}

/** `destination`: what `latest` meant when it was first asked; another run may have ended meanwhile. */
async function makePlan(state: RunState, request: unknown, destination?: string): Promise<Plan> {
  const kind = state.progress.kind as RunKind // a guard plans nothing
  const asksHealth = state.plan === undefined && (kind === 'deploy' || kind === 'rollback')
  const plans = ({ plan }: typeof acts) =>
    plan.executeWithOptions({ summary: `look, and plan the ${kind}` }, [
      { kind, request, asksHealth, ...(destination === undefined ? {} : { destination }) },
    ])
  const planned = state.token === undefined ? await outliving(() => plans(briefActs)) : await plans(acts)
  if ('unchanged' in planned) return state.plan!
  const { plan, searchable, notifies, audits = false, health } = planned
  state.glance = planned.glance
  state.searchable = searchable
  state.notices.subscriptions = notifies
  state.trail.on = audits
  state.trail.before ??= health
  state.setPlan(plan)
  state.tag()
  return plan
}

/** Once for a run, before anybody is asked: what they look at does not change when the plan is made again. */
async function runChecks({ target }: Plan, checks: PlannedChecks): Promise<void> {
  const summary = `run the ${checks.names.length === 1 ? 'check' : 'checks'} ${checks.names.join(', ')}`
  await acts.runChecks.executeWithOptions({ summary }, [{ target, ...checks }])
}

async function askForApproval(state: RunState, gate: Gate, plan: Plan): Promise<void> {
  if (!plan.approval.required) return
  const answer = await gate.wait({ asks: 'approve', why: plan.approval.why, deadlineMs: plan.deadlines.approvalMs })
  if (answer?.kind === 'approve') return
  if (answer === undefined && plan.approval.terms?.atDeadline === 'go-on' && !plan.approval.dataLoss) return gate.goOn()
  if (answer)
    throw ApplicationFailure.nonRetryable(`rejected by ${answer.by}: ${answer.comment ?? 'no comment'}`, 'Rejected')
  throw ApplicationFailure.nonRetryable('nobody approved the plan in time', 'ApprovalTimeout')
}

async function underLease(state: RunState, gate: Gate, request: unknown, approved: Plan): Promise<RunResult> {
  const { lease, origin, begun, unchanged } = await takeLease(state, gate, approved)
  const stands = approved.kind === 'emergency' || unchanged
  const fresh = stands ? approved : await makePlan(state, request, approved.restorePoint)
  // Exposure is not in the digest: a plan that lost nothing when nobody had to approve it may lose rows by now.
  const asked = approved.approval.required && fresh.digest === approved.digest && !hasGrown(approved, fresh)
  const plan = asked ? asApproved(fresh, approved) : fresh
  if (plan.already)
    return await finish(state, lease, { phase: 'done', plan, health: await look(plan.target, answering(plan)) })
  if (!asked) await askForApproval(state, gate, plan)
  if (!begun) await recordPlan(lease, plan, state.trail.asked)
  state.trail.begun = true
  return await walk(state, new Walk({ state, gate, plan, lease, origin }), plan, lease)
}

async function recordPlan(lease: Lease, plan: Plan, asked: Asked): Promise<void> {
  const summary = 'write the plan to the ledger'
  await acts.recordPlan.executeWithOptions({ summary }, [{ ...lease, plan, asked }])
}

/** What is lost may grow while a person decides, up to the bound; plans of earlier versions have none. */
function hasGrown(approved: Plan, { exposure, mayGrowBy = Infinity }: Plan): boolean {
  return (exposure?.total ?? 0) > (approved.exposure?.total ?? 0) + mayGrowBy
}

/** Later looks compare with what the person saw, not with what was there when the lease was to be had. */
function asApproved(fresh: Plan, { exposure, counters }: Plan): Plan {
  return exposure && counters ? { ...fresh, exposure, counters } : fresh
}

async function walk(state: RunState, steps: Walk, plan: Plan, lease: Lease): Promise<RunResult> {
  try {
    await steps.steps()
    const health = await steps.seeing(() => look(plan.target, answering(plan)))
    return await finish(state, lease, { phase: 'done', plan, health })
  } catch (error) {
    if (!(error instanceof GiveUp)) throw error
    throw await giveUp(state, steps, plan, lease, error.failed)
  }
}

/** Undoes, looks again, and says what came of it; a fenced run changes nothing more. */
async function giveUp(state: RunState, steps: Walk, plan: Plan, lease: Lease, failed: Failed): Promise<unknown> {
  if (failed.type === 'Fenced' || failed.type === 'StaleLease')
    return ApplicationFailure.nonRetryable(failed.message, failed.type)
  state.enter('undoing')
  const left = await steps.undo()
  return await CancellationScope.nonCancellable(async () => {
    const health = await lookAnyway(plan.target, plan.before.version)
    const sick = health.filter((it) => !it.healthy).map((it) => `${it.check}: ${it.detail}`)
    const undone = left.length === 0 && sick.length === 0
    const phase = undone ? 'undone' : 'not-undone'
    const ending = { phase, plan, health, left: [...left, ...sick], cancelled: failed.type === 'Cancelled' } as const
    const message = undone
      ? `${failed.message}; everything was put back`
      : `${failed.message}; left: ${ending.left.join('; ')}`
    const written = await writeEnd(state, lease, `${phase}; give the lease back`, { ...ending, message })
    return ApplicationFailure.create({
      type: undone ? 'Undone' : 'NotUndone',
      nonRetryable: true,
      message,
      details: [result(state, { ...ending, written })],
    })
  })
}

async function finish(
  state: RunState,
  lease: Lease,
  ending: { readonly phase: Phase; readonly plan: Plan; readonly health: readonly HealthReport[] },
): Promise<RunResult> {
  const written = await writeEnd(state, lease, 'done; give the lease back', ending)
  return result(state, { ...ending, written })
}

/** Into ledger and record, and only then the lease is given back; by then it is too late to cancel. */
async function writeEnd(
  { trail }: RunState,
  lease: Lease,
  summary: string,
  ending: Ending,
): Promise<WrittenEnd | undefined> {
  const { phase, plan } = ending
  const brings = phase === 'done' && plan && !plan.already ? { plan } : {}
  return await CancellationScope.nonCancellable(async () => {
    const ended = trail.on ? { ended: await trail.end(ending), circumstances: trail.circumstances(plan) } : {}
    return await stubbornActs.finishRun.executeWithOptions({ summary }, [
      { ...lease, outcome: phase, ...brings, ...ended },
    ])
  })
}

function answering({ answers, version }: Plan): string | null {
  return answers === undefined ? version : answers
}

async function look(
  target: string,
  version: string | null,
  how: { readonly decides?: true } = {},
): Promise<readonly HealthReport[]> {
  return await acts.observeEnd.executeWithOptions({ summary: 'look at what is there now' }, [
    { target, version, ...how },
  ])
}

/** Not being able to look must not hide why the run was undone. */
async function lookAnyway(target: string, version: string | null): Promise<readonly HealthReport[]> {
  try {
    return await look(target, version, { decides: true })
  } catch (error) {
    return [{ check: 'look', healthy: false, detail: failureOf(error).message }]
  }
}

function result(
  state: RunState,
  ending: {
    readonly phase: Phase
    readonly plan: Plan
    readonly health: readonly HealthReport[]
    readonly left?: readonly string[]
    readonly cancelled?: boolean
    readonly written?: WrittenEnd | undefined
  },
): RunResult {
  const { progress } = state
  progress.finishedAt = now()
  state.enter(ending.phase)
  state.result = {
    ...progress,
    health: ending.health,
    restorePoint: safetyOf(progress, ending.plan),
    durationMs: Date.parse(progress.finishedAt) - Date.parse(progress.startedAt),
    ...(ending.plan.already ? { already: true as const } : {}),
    ...(ending.cancelled ? { cancelled: true as const } : {}),
    ...(ending.left && ending.left.length > 0 ? { left: ending.left } : {}),
    ...shownEnd(ending.written),
  }
  return state.result
}

function shownEnd(written: WrittenEnd | undefined): Pick<RunResult, 'audit' | 'note'> {
  if (!written) return {}
  const { note, ...audit } = written
  return { audit, ...(note ? { note } : {}) }
}

const phaseOf: Readonly<Record<string, Phase>> = {
  InvalidRequest: 'refused',
  UnknownTarget: 'refused',
  InvalidConfiguration: 'refused',
  Refused: 'refused',
  Rejected: 'rejected',
  ApprovalTimeout: 'rejected',
  Fenced: 'fenced',
  Undone: 'undone',
  NotUndone: 'not-undone',
}

/** The failure that ends the run, with its type and the last progress in its details; the lease is given back. */
async function ended(state: RunState, error: unknown): Promise<unknown> {
  if (error instanceof ApplicationFailure && (error.type === 'Undone' || error.type === 'NotUndone') && state.result)
    return error
  const { type: cause, message } = failureOf(error)
  const type = phaseOf[cause] !== undefined ? cause : state.changed ? 'NotUndone' : 'Refused'
  const phase = isCancellation(error) ? 'cancelled' : phaseOf[type]!
  const ending = { phase, message, plan: state.plan, health: [] }
  const written =
    state.token !== undefined && type !== 'Fenced'
      ? await giveBack(state, ending)
      : await recordEnd(state, cause, ending)
  state.progress.finishedAt = now()
  state.enter(phase)
  if (isCancellation(error)) return error
  const durationMs = Date.parse(state.progress.finishedAt) - Date.parse(state.progress.startedAt)
  state.result = { ...state.progress, health: [], restorePoint: null, durationMs, ...shownEnd(written) }
  return ApplicationFailure.create({
    type,
    nonRetryable: true,
    message,
    details: [state.result],
  })
}

async function giveBack(state: RunState, ending: Ending): Promise<WrittenEnd | undefined> {
  const lease = { target: state.plan!.target, token: state.token! }
  return await writeEnd(state, lease, 'give the lease back', ending).catch(() => undefined)
}

/** Without a lease, too, somebody asked, and was told no. Where there is no target, there is no record. */
async function recordEnd(state: RunState, cause: string, ending: Ending): Promise<WrittenEnd | undefined> {
  const nowhere = ['InvalidRequest', 'UnknownTarget', 'InvalidConfiguration', 'Unreachable'].includes(cause)
  const records = state.plan ? state.trail.on : !nowhere && patched('record-refusals')
  return records ? await state.trail.write(ending) : undefined
}
