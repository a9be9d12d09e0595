// Answering a gate: an update says at once whether it was taken; where no worker is there to say so, a signal waits.

import {
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcServiceError,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { StepbackError } from '../plan/failure.js'
import { malformed } from '../plan/gate.js'

export interface Answered {
  /** `signal`: nobody has looked at it yet; the run takes it, or ignores it, once a worker is back. */
  readonly how: 'update' | 'signal'
  readonly text: string
}

const deadlineExceeded = 4
const failedPrecondition = 9

/** `ApprovalRefused`, with the run's reason, where the answer was not taken. */
export async function answer(input: {
  readonly handle: WorkflowHandle
  readonly name: 'approve' | 'reject' | 'resolve'
  readonly argument: object
  /** Runs calls with a deadline of their own: an update waits for a worker for ever. */
  readonly within: <T>(call: () => Promise<T>) => Promise<T>
}): Promise<Answered> {
  const { handle, name, argument } = input
  const bad = malformed(name, argument)
  if (bad !== undefined) throw refused(bad, handle.workflowId)
  try {
    const text = await input.within(() => handle.executeUpdate<string, [object]>(name, { args: [argument] }))
    return { how: 'update', text }
  } catch (error) {
    if (!isUnanswered(error)) throw refusal(error, handle.workflowId)
  }
  await handle.signal<[object]>(name, argument).catch((error: unknown) => {
    throw refusal(error, handle.workflowId)
  })
  return { how: 'signal', text: 'no worker answers; sent as a signal, which the run takes once a worker is back' }
}

function isUnanswered(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : error
  return isGrpcServiceError(cause) && (cause.code === deadlineExceeded || cause.code === failedPrecondition)
}

function refusal(error: unknown, run: string): unknown {
  if (error instanceof WorkflowNotFoundError)
    return refused(`run "${run}" is closed, or there is none of that name`, run)
  if (!(error instanceof WorkflowUpdateFailedError)) return error
  const { cause } = error
  return refused(cause instanceof ApplicationFailure ? cause.message : (cause?.message ?? error.message), run)
}

function refused(message: string, run: string): StepbackError {
  return new StepbackError({
    type: 'ApprovalRefused',
    message,
    hint: `look at what it waits for: stepback watch ${run}`,
  })
}
