import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Approve, Reject, Resolve } from '../plan/gate.js'
import type { GuardView } from '../plan/guard.js'
import type { Progress, RunResult } from '../plan/progress.js'

export const progressQuery = defineQuery<Progress | RunResult>('progress')

export const approveUpdate = defineUpdate<string, [Approve]>('approve')
export const rejectUpdate = defineUpdate<string, [Reject]>('reject')
export const resolveUpdate = defineUpdate<string, [Resolve]>('resolve')

export const approveSignal = defineSignal<[Approve]>('approve')
export const rejectSignal = defineSignal<[Reject]>('reject')
export const resolveSignal = defineSignal<[Resolve]>('resolve')

export const healthSignal = defineSignal<[unknown]>('health')
export const guardQuery = defineQuery<GuardView>('guard')
