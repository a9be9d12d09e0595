// The plan that a run was given, from its history: progress shows what is done, only the plan says how it is undone.

import type { WorkflowHandle } from '@temporalio/client'
import type { LoadedDataConverter } from '@temporalio/common'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import type { Plan } from '../plan/plan.js'

/** The newest plan of a run, or nothing where none was made. */
export async function recordedPlan(handle: WorkflowHandle, converter: LoadedDataConverter): Promise<Plan | undefined> {
  const events = (await handle.fetchHistory()).events ?? []
  const scheduled = events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'plan')
  const ids = new Set(scheduled.map((event) => String(event.eventId)))
  const completed = events
    .map((event) => event.activityTaskCompletedEventAttributes)
    .filter((attributes) => ids.has(String(attributes?.scheduledEventId)))
  for (const attributes of completed.toReversed()) {
    const planned = decodeFromPayloadsAtIndex<{ plan?: Plan }>(converter, 0, attributes?.result?.payloads)
    const { plan } = await planned // none where it was found to stand
    if (plan) return plan
  }
  return undefined
}
