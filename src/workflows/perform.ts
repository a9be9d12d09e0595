// One act of a run: its activity, and what its outcome means.

import { ActivityFailure, ApplicationFailure, TimeoutFailure, isCancellation, patched } from '@temporalio/workflow'
import type { Act } from '../plan/act.js'
import { type FailureType, failures } from '../plan/failure.js'
import type { Exposure } from '../plan/plan.js'
import type { ActInput, ActResult } from '../activities/act-input.js'
import { acts } from './activities.js'

/** Runs an act under its own name and title, so that the Web UI's timeline reads like the plan. */
export function perform(input: {
  readonly act: Act
  readonly run: Omit<ActInput<never>, 'args'>
  readonly summary?: string
}): Promise<ActResult> {
  const { act } = input
  const activity = acts[act.name] as unknown as {
    executeWithOptions(options: { summary: string }, args: [unknown]): Promise<ActResult>
  }
  return activity.executeWithOptions({ summary: input.summary ?? act.title }, [{ ...input.run, args: act.args }])
}

/** Does again what ended because its worker died: a few deaths in a row say nothing about what was asked. */
export async function outliving<T>(work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work()
    } catch (error) {
      if (round === maxRounds || !isDeath(error) || !patched('outlive-deaths')) throw error
    }
  }
}

/** Something that kills every worker must come to an end, too. */
const maxRounds = 5

function isDeath(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined
  return cause instanceof TimeoutFailure && cause.timeoutType === 'HEARTBEAT'
}

export interface Failed {
  readonly type: FailureType | 'Cancelled' | 'Unknown'
  readonly message: string
  readonly exposure: Exposure | null
  /** A person may allow what was exceeded; runs of earlier versions undid at once. */
  readonly asks?: 'approval'
}

/** What went wrong, by its type alone. Timeouts and failures of a type that is not ours are `Unknown`: it may have acted. */
export function failureOf(error: unknown): Failed {
  if (error instanceof GiveUp) return error.failed
  if (isCancellation(error)) return { type: 'Cancelled', message: 'cancelled', exposure: null }
  const cause = error instanceof ActivityFailure ? error.cause : error
  if (!(cause instanceof ApplicationFailure)) {
    return { type: 'Unknown', message: cause instanceof Error ? cause.message : String(cause), exposure: null }
  }
  const details = cause.details?.[0] as { exposure?: Exposure; asks?: 'approval' } | undefined
  const type = Object.hasOwn(failures, cause.type ?? '') ? (cause.type as FailureType) : 'Unknown'
  const asks = details?.asks === undefined ? {} : { asks: details.asks }
  return { type, message: cause.message, exposure: details?.exposure ?? null, ...asks }
}

/** The step did not reach the host, or nobody knows how far it came. */
export function isUnknown(failed: Failed): boolean {
  return ['Unknown', 'OutcomeUnknown', 'Unreachable', 'Busy'].includes(failed.type)
}

/** A step failed, and undoing is what comes next. */
export class GiveUp extends Error {
  constructor(readonly failed: Failed) {
    super(failed.message)
  }
}
