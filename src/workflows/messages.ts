import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Answer, Given } from '../plan/gate.js'
import type { GuardView } from '../plan/guard.js'
import type { Progress, RunResult } from '../plan/progress.js'

export const progressQuery = defineQuery<Progress | RunResult>('progress')

/** Each as an update and as a signal of the same name, with the same argument. */
export const answers = (['approve', 'reject', 'resolve'] satisfies Answer['kind'][]).map((kind) => ({
  kind,
  update: defineUpdate<string, [Given]>(kind),
  signal: defineSignal<[Given]>(kind),
}))

export const healthSignal = defineSignal<[unknown]>('health')
export const guardQuery = defineQuery<GuardView>('guard')
