import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { StepbackError, failures } from '../plan/failure.js'

/** An error as it crosses Temporal: its type decides, and one that nobody foresaw is tried again. */
export function toFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error
  // The SDK tells by it that an activity ended because it was asked to.
  if (error instanceof Error && error.name === 'AbortError') return error
  if (error instanceof StepbackError) {
    return ApplicationFailure.create({
      type: error.type,
      message: error.message,
      nonRetryable: !failures[error.type].retryable,
      ...(error.details === undefined ? {} : { details: [error.details] }),
    })
  }
  return ApplicationFailure.create({ type: 'Unknown', message: messageOf(error), nonRetryable: false })
}

/** One line for the ledger and for people. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}
