// How a run ended, as data: the type of its failure decides, never the text.

import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common'
import { type FailureType, failures } from '../plan/failure.js'
import type { RunResult } from '../plan/progress.js'

export type Outcome =
  | { readonly outcome: 'done'; readonly result: RunResult }
  | {
      readonly outcome: FailureType | 'Cancelled' | 'Terminated' | 'TimedOut' | 'Unknown'
      readonly message: string
      /** What the run showed last, where it could still say so. */
      readonly result?: RunResult
    }

/** The outcome behind what waiting for a result threw; everything that is no end of a run is thrown on. */
export function outcomeOf(error: unknown): Exclude<Outcome, { outcome: 'done' }> {
  if (!(error instanceof WorkflowFailedError)) throw error
  const { cause } = error
  if (cause instanceof ApplicationFailure) return applicationOutcome(cause)
  if (cause instanceof CancelledFailure) return { outcome: 'Cancelled', message: 'cancelled before its first change' }
  if (cause instanceof TerminatedFailure) {
    return { outcome: 'Terminated', message: `${cause.message || 'terminated'}; the next run undoes what it left` }
  }
  if (cause instanceof TimeoutFailure) return { outcome: 'TimedOut', message: cause.message }
  return { outcome: 'Unknown', message: cause?.message ?? error.message }
}

function applicationOutcome(cause: ApplicationFailure): Exclude<Outcome, { outcome: 'done' }> {
  const type = cause.type ?? ''
  const result = cause.details?.[0] as RunResult | undefined
  return {
    outcome: Object.hasOwn(failures, type) ? (type as FailureType) : 'Unknown',
    message: cause.message,
    ...(isResult(result) ? { result } : {}),
  }
}

function isResult(value: unknown): value is RunResult {
  return typeof value === 'object' && value !== null && 'phase' in value && 'steps' in value
}
