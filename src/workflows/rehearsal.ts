// What can only be known by trying is tried before anybody is asked.

import { ApplicationFailure, CancelledFailure } from '@temporalio/workflow'
import { type Plan, rehearsalOf } from '../plan/plan.js'
import { acts } from './activities.js'
import type { Gate } from './gate.js'
import { giveLeaseBack, startingOver, takeLease } from './lease.js'
import { GiveUp } from './perform.js'
import type { RunState } from './state.js'
import { type Lease, Walk } from './walk.js'

/** Leaves nothing on the target but a verdict in its ledger, which the plan that is made next shows. */
export async function rehearse(state: RunState, gate: Gate, plan: Plan): Promise<void> {
  await startingOver(state, () => tryOut(state, gate, plan))
}

/** Under a lease of its own, which it gives back: a person may take hours, and others go on meanwhile. */
async function tryOut(state: RunState, gate: Gate, asked: Plan): Promise<void> {
  const { lease, origin } = await takeLease(state, gate, asked, true)
  const plan = rehearsalOf(asked)
  state.setPlan(plan)
  await acts.recordPlan.executeWithOptions({ summary: 'write the rehearsal to the ledger' }, [{ ...lease, plan }])
  const steps = new Walk({ state, gate, plan, lease, origin })
  try {
    await steps.steps()
  } catch (error) {
    throw await endRehearsal(state, steps, error)
  }
  await leaveRehearsal(state, lease, 'rehearsed')
}

async function endRehearsal(state: RunState, steps: Walk, error: unknown): Promise<unknown> {
  if (!(error instanceof GiveUp)) return error
  const { failed } = error
  if (failed.type === 'Fenced' || failed.type === 'StaleLease')
    return ApplicationFailure.nonRetryable(failed.message, failed.type)
  state.enter('undoing')
  const left = await steps.undo()
  await leaveRehearsal(state, { target: state.plan!.target, token: state.token! }, 'not-rehearsed')
  if (left.length > 0)
    return ApplicationFailure.nonRetryable(`${failed.message}; left: ${left.join('; ')}`, 'NotUndone')
  if (failed.type === 'Cancelled') return new CancelledFailure('cancelled')
  return ApplicationFailure.nonRetryable(`the rehearsal failed, and nothing was changed: ${failed.message}`, 'Refused')
}

async function leaveRehearsal(state: RunState, lease: Lease, outcome: string): Promise<void> {
  state.token = undefined
  state.changed = false
  await giveLeaseBack(lease, outcome)
}
