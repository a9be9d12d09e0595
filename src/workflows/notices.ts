// Telling the outside, beside the run: each notice is a small workflow of its own, which tries for a day, whatever
// becomes of the run that it speaks of.

import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  log,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow'
import { type Channel, type Notice, type Subscriptions, channelsFor } from '../plan/notice.js'
import type { Span } from '../plan/trace.js'
import { tellingActs } from './activities.js'

export interface Telling {
  readonly notice: Notice
  readonly channels: readonly Channel[]
}

/** Each channel for itself; one that cannot be reached within the day fails this workflow, and nothing else. */
export async function notify({ notice, channels }: Telling): Promise<void> {
  const summary = (channel: Channel) => `tell ${channel}: ${notice.event}`
  const told = channels.map((channel) =>
    tellingActs.sendNotice.executeWithOptions({ summary: summary(channel) }, [{ channel, notice }]),
  )
  const failed = (await Promise.allSettled(told)).find((it) => it.status === 'rejected')
  if (failed) throw failed.reason
}

export class Notices {
  /** Comes with what activities return; runs of earlier versions have none, and tell nobody. */
  subscriptions: Subscriptions | undefined
  readonly #begun: Promise<unknown>[] = []

  /** `spans`: what traces show of it. */
  tell(notice: Notice, spans: () => readonly Span[] = () => []): void {
    const channels = channelsFor(notice.event, this.subscriptions)
    const whole = channels.includes('traces') ? { ...notice, spans: spans() } : notice
    if (channels.length > 0) this.#begun.push(this.#begin({ notice: whole, channels }))
  }

  /** A run that was refused before it had a plan has its subscriptions from the refusal. */
  learn(error: unknown): void {
    const cause = error instanceof ActivityFailure ? error.cause : error
    if (!(cause instanceof ApplicationFailure)) return
    const details = cause.details?.[0] as { readonly notifies?: Subscriptions } | undefined
    this.subscriptions ??= details?.notifies
  }

  /** A child that has not begun when its parent ends never does. */
  async begun(): Promise<void> {
    await Promise.all(this.#begun.splice(0))
  }

  async #begin(telling: Telling): Promise<void> {
    const workflowId = `notice-${workflowInfo().workflowId}-${uuid4().slice(0, 8)}`
    const options = {
      workflowId,
      args: [telling],
      staticSummary: `${telling.notice.event} of ${telling.notice.run}`.slice(0, 100),
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
    }
    try {
      await CancellationScope.nonCancellable(() => startChild('notifyWorkflow', options))
    } catch (error) {
      log.warn('nobody is told', { event: telling.notice.event, why: (error as Error).message })
    }
  }
}
