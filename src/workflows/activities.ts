// What the workflows need of the activities, by type only; and how each of them is retried.

import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from '@temporalio/workflow'
import { nonRetryableTypes } from '../plan/failure.js'
import type { StepbackActivities } from '../activities/index.js'

type Acts = ActivityInterfaceFor<StepbackActivities>

const retry = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '15 seconds',
  nonRetryableErrorTypes: [...nonRetryableTypes],
} satisfies ActivityOptions['retry']

/** A short heartbeat, since a cancel and the death of a worker are noticed no sooner than that. */
const patient: ActivityOptions = {
  startToCloseTimeout: '4 hours',
  heartbeatTimeout: '5 seconds',
  retry: { ...retry, maximumAttempts: 10 },
}

/**
 * Before anything is begun nothing is lost by saying no: a host that cannot be reached is told within a minute. Not by a
 * `scheduleToClose`, which would end runs that wait for a worker. Call it through `outliving`.
 */
const brief: ActivityOptions = { ...patient, retry: { ...retry, maximumAttempts: 2 } }

/** For what must come to an end whatever dies: waiting for the lease, keeping it, writing the end of a run. */
const stubborn: ActivityOptions = {
  ...patient,
  startToCloseTimeout: '7 days',
  retry,
}

/** A receiver may be away for hours; a worker that dies meanwhile has at most sent it twice. */
const telling: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  retry: { ...retry, initialInterval: '2 seconds', maximumInterval: '5 minutes' },
}

export const acts: Acts = proxyActivities<StepbackActivities>(patient)
export const briefActs: Acts = proxyActivities<StepbackActivities>(brief)
export const stubbornActs: Acts = proxyActivities<StepbackActivities>(stubborn)
export const tellingActs: Acts = proxyActivities<StepbackActivities>(telling)
