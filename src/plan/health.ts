// When polls of a target's checks count as healthy, and when as failing.

import type { HealthReport } from './progress.js'

export interface HealthPolicy {
  /** Polls in a row in which every check must succeed. */
  readonly successes: number
}

export interface WatchPolicy {
  /** Polls in a row with a failing check that end the watch as failed. */
  readonly failures: number
}

export type Poll = readonly HealthReport[]

export function allHealthy(poll: Poll): boolean {
  return poll.every((report) => report.healthy)
}

/** Healthy once the newest `successes` polls are all healthy; it says nothing before that. */
export function hasRecovered(polls: readonly Poll[], policy: HealthPolicy): boolean {
  return polls.length >= policy.successes && polls.slice(-policy.successes).every(allHealthy)
}

/** Failing once the newest `failures` polls each have a failing check. */
export function isFailing(polls: readonly Poll[], policy: WatchPolicy): boolean {
  return polls.length >= policy.failures && polls.slice(-policy.failures).every((poll) => !allHealthy(poll))
}

/** `api: status is "failing"; web: no answer` of the failing checks. */
export function describeFailing(poll: Poll): string {
  const failing = poll.filter((report) => !report.healthy)
  return failing.map((report) => `${report.check}: ${report.detail}`).join('; ')
}
