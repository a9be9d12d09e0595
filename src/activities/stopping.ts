// Why an activity is asked to stop decides what it leaves: only a cancelled run ends its jobs on the host. A worker that
// is being stopped, or a run that is no longer there, leaves them: the next attempt attaches, the next holder ends them.

import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'

/** Aborted by a cancel of the run, and by nothing else. */
export function cancelSignal(): AbortSignal {
  const context = Context.current()
  const { cancellationSignal } = context
  const controller = new AbortController()
  const follow = () => {
    if (isCancelRequested(context)) controller.abort(cancellationSignal.reason)
  }
  if (cancellationSignal.aborted) follow()
  else cancellationSignal.addEventListener('abort', follow, { once: true })
  return controller.signal
}

/** The work, or a failure that is tried again once the worker is asked to go while it is still under way. */
export async function orLeave<T>(work: Promise<T>): Promise<T> {
  const context = Context.current()
  const { cancellationSignal } = context
  let leave = () => {}
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => {
      if (!isCancelRequested(context)) reject(ApplicationFailure.retryable('the worker stops', 'WorkerStopping'))
    }
  })
  left.catch(() => undefined)
  work.catch(() => undefined)
  if (cancellationSignal.aborted) leave()
  else cancellationSignal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([work, left])
  } finally {
    cancellationSignal.removeEventListener('abort', leave)
  }
}

/** Listeners run outside of the activity's own context, so it is handed on. */
function isCancelRequested(context: Context): boolean {
  return context.cancellationDetails?.cancelRequested === true
}
