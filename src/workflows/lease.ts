// Taking the lease, and what comes with it: what others left is undone first.

import { ApplicationFailure, CancellationScope } from '@temporalio/workflow'
import type { Debt } from '../plan/ledger.js'
import { debtNotice } from '../plan/notice.js'
import type { Plan } from '../plan/plan.js'
import { acts, stubbornActs } from './activities.js'
import type { Gate } from './gate.js'
import { failureOf } from './perform.js'
import type { RunState } from './state.js'
import { type Lease, Walk } from './walk.js'

/**
 * `waits`: for whoever holds it, since nobody has approved anything yet. What is planned once, as an emergency is, is
 * written down with it.
 */
export async function takeLease(state: RunState, gate: Gate, plan: Plan, waits = false) {
  const { target, freesReserve } = plan
  const begins = plan.kind === 'emergency' && !plan.already
  state.enter('waiting-for-lease')
  const {
    token,
    run: origin,
    debts,
    audits = false,
    begun = false,
    unchanged = false,
  } = await stubbornActs.acquireLease.executeWithOptions(
    { summary: begins ? 'take the lease, and write the plan to the ledger' : 'take the lease' },
    [
      {
        target,
        kind: state.progress.kind,
        ...(freesReserve ? { freesReserve } : {}),
        ...(waits ? { waits } : {}),
        ...(begins ? { begins: { plan, asked: state.trail.asked } } : {}),
        ...(state.glance && !waits ? { since: state.glance } : {}),
      },
    ],
  )
  state.token = token
  state.trail.on ||= audits
  const lease = { target, token }
  state.enter('running')
  await payDebts(state, gate, lease, debts)
  return { lease, origin, begun, unchanged }
}

/** A run that was reset finds the lease with its earlier self, and all that it did is a debt: it starts over. */
export async function startingOver<T>(state: RunState, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (typeOf(error) !== 'StaleLease') throw error
      state.token = undefined
      state.changed = false
    }
  }
}

/** Takes the lease only to undo what others left, and gives it back. */
export async function settle(state: RunState, gate: Gate, target: string): Promise<void> {
  const {
    token,
    debts,
    audits = false,
  } = await stubbornActs.acquireLease.executeWithOptions({ summary: 'take the lease' }, [{ target, kind: 'guard' }])
  state.token = token
  state.trail.on = audits
  let outcome: string | null = 'done'
  try {
    await payDebts(state, gate, { target, token }, debts)
  } catch (error) {
    outcome = ['Fenced', 'StaleLease'].includes(typeOf(error)) ? null : 'not-undone'
    throw error
  } finally {
    state.token = undefined
    await state.trail.settled()
    if (outcome !== null) await giveLeaseBack({ target, token }, outcome)
  }
}

export async function giveLeaseBack(lease: Lease, outcome: string): Promise<void> {
  await CancellationScope.nonCancellable(() =>
    stubbornActs.finishRun.executeWithOptions({ summary: 'give the lease back' }, [{ ...lease, outcome }]),
  )
}

async function payDebts(state: RunState, gate: Gate, lease: Lease, debts: readonly Debt[]): Promise<void> {
  if (debts.length > 0) state.notices.tell(debtNotice(state.told, debts))
  let kept = false
  for (const debt of debts) {
    const ask = debt.ask ?? (kept ? debt.askOnceKept : undefined)
    if (!(await payDebt(state, gate, lease, debt, ask))) kept = true
  }
}

/** False where a person keeps what that run did. */
async function payDebt(state: RunState, gate: Gate, lease: Lease, debt: Debt, ask: string | undefined) {
  state.setPlan(debt.plan)
  const steps = new Walk({ state, gate, plan: debt.plan, lease, origin: debt.run })
  const undoes = ask === undefined || (await mayUndo(gate, debt, ask))
  if (undoes) state.enter('undoing')
  const left = undoes ? await steps.pay(debt.started) : []
  if (steps.givenUp) {
    throw ApplicationFailure.nonRetryable(
      `the unfinished run ${debt.run.workflowId} could not be undone: ${left.join('; ')}`,
      'NotUndone',
    )
  }
  // What a person skipped is accepted: asked about again by every later run, it would block the target for ever.
  const how = undoes && left.length === 0 ? 'undone' : 'accepted'
  await CancellationScope.nonCancellable(() =>
    acts.closeDebt.executeWithOptions({ summary: `the debt of ${debt.run.workflowId} is ${how}` }, [
      { ...lease, run: debt.run, how, plan: debt.plan },
    ]),
  )
  state.enter('running')
  return undoes
}

async function mayUndo(gate: Gate, debt: Debt, ask: string): Promise<boolean> {
  const answer = await gate.wait({
    asks: 'resolve',
    why: `${debt.run.workflowId} ended without an end: ${ask}; retry undoes it, skip leaves what it did`,
    deadlineMs: null,
  })
  if (answer?.kind === 'resolve' && answer.action === 'abort') {
    throw ApplicationFailure.nonRetryable(`the debt of ${debt.run.workflowId} is left as it is`, 'Refused')
  }
  return answer?.kind === 'resolve' && answer.action === 'retry'
}

export function typeOf(error: unknown): string {
  return error instanceof ApplicationFailure ? (error.type ?? '') : failureOf(error).type
}
