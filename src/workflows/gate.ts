// Pauses that a person ends. Updates are answered at once; a signal of the same name does the same without an answer.

import { ApplicationFailure, CancellationScope, condition, setHandler } from '@temporalio/workflow'
import { type Answer, type Approve, type Reject, type Resolve, malformed, refusedApproval } from '../plan/gate.js'
import * as messages from './messages.js'
import { stubbornActs } from './activities.js'
import { type RunState } from './state.js'

export class Gate {
  #answer: Answer | undefined

  constructor(private readonly state: RunState) {
    this.#handleApprove()
    this.#handleReject()
    this.#handleResolve()
  }

  /**
   * Waits for an answer; nothing comes back where the deadline passed first. Under a lease the lease is kept meanwhile.
   * Without a deadline it waits for as long as it takes.
   */
  async wait(input: {
    readonly asks: 'approve' | 'resolve'
    readonly why: string
    readonly deadlineMs: number | null
  }): Promise<Answer | undefined> {
    const { progress } = this.state
    const before = progress.phase
    this.#answer = undefined
    const until = input.deadlineMs === null ? '' : new Date(Date.now() + input.deadlineMs).toISOString()
    progress.gate = { asks: input.asks, why: input.why, until }
    // An approval that is asked for while undoing is the undo's, not the plan's.
    this.state.enter(input.asks === 'approve' && before !== 'undoing' ? 'waiting-for-approval' : 'waiting-for-operator')
    try {
      return await this.#keepingLease(() => this.#waitForAnswer(input.asks, input.deadlineMs))
    } finally {
      progress.gate = null
      this.state.enter(before)
    }
  }

  async #waitForAnswer(asks: 'approve' | 'resolve', deadlineMs: number | null): Promise<Answer | undefined> {
    const answered = () => this.#answer !== undefined
    if (deadlineMs === null) await condition(answered)
    else await condition(answered, deadlineMs, { summary: `deadline to ${asks}` })
    return this.#answer
  }

  async #keepingLease<T>(wait: () => Promise<T>): Promise<T> {
    const { token, progress } = this.state
    if (token === undefined) return await wait()
    const keeping = new CancellationScope()
    const kept = keeping.run(() =>
      stubbornActs.keepLease.executeWithOptions({ summary: 'keep the lease while a person decides' }, [
        { target: progress.target ?? '', token },
      ]),
    )
    try {
      // Losing the lease ends the wait: whoever took it has undone this run by then.
      return await Promise.race([wait(), kept.then(() => new Promise<never>(() => {}))])
    } finally {
      keeping.cancel()
      await kept.catch(() => undefined)
    }
  }

  #handleApprove(): void {
    const refused = (input: Approve) => this.#refusedApproval(input)
    const take = (input: Approve): string => {
      this.#answer = { kind: 'approve', by: input.by, comment: input.comment ?? null }
      return `approved by ${input.by}`
    }
    setHandler(messages.approveUpdate, take, {
      validator: ensure(refused),
      description: 'Approve the plan: {"by": "you", "digest": "first 8 hex digits or more"}',
    })
    setHandler(messages.approveSignal, ignoring(refused, take), { description: 'The same, without an answer' })
  }

  #handleReject(): void {
    const refused = (input: Reject) => this.#refused('reject', input, ['approve'])
    const take = (input: Reject): string => {
      this.#answer = { kind: 'reject', by: input.by, comment: input.comment ?? null }
      return `rejected by ${input.by}`
    }
    setHandler(messages.rejectUpdate, take, {
      validator: ensure(refused),
      description: 'Reject the plan: {"by": "you"}',
    })
    setHandler(messages.rejectSignal, ignoring(refused, take), { description: 'The same, without an answer' })
  }

  #handleResolve(): void {
    const refused = (input: Resolve) => this.#refused('resolve', input, ['resolve', 'approve'])
    const take = (input: Resolve): string => {
      this.#answer = { kind: 'resolve', by: input.by, action: input.action, comment: input.comment ?? null }
      return `${input.action} by ${input.by}`
    }
    setHandler(messages.resolveUpdate, take, {
      validator: ensure(refused),
      description: 'Answer a step that keeps failing: {"by": "you", "action": "retry" | "skip" | "abort"}',
    })
    setHandler(messages.resolveSignal, ignoring(refused, take), { description: 'The same, without an answer' })
  }

  #refusedApproval(input: Approve): string | undefined {
    const refused = this.#refused('approve', input, ['approve'])
    const { plan, progress } = this.state
    if (refused !== undefined || plan === undefined) return refused
    // What an undo asks about is always a loss of rows, whatever the plan itself would have lost.
    const dataLoss = plan.approval.dataLoss || progress.phase === 'waiting-for-operator'
    return refusedApproval(input, { digest: plan.digest, dataLoss })
  }

  #refused(kind: Answer['kind'], input: unknown, asked: readonly string[]): string | undefined {
    const bad = malformed(kind, input)
    if (bad !== undefined) return bad
    const { gate, phase } = this.state.progress
    if (gate === null || !asked.includes(gate.asks)) {
      return `nothing waits to be ${kind === 'approve' ? 'approved' : kind === 'reject' ? 'rejected' : 'resolved'}; the run is ${phase}`
    }
    if (kind === 'resolve' && gate.asks === 'approve' && phase === 'waiting-for-approval') {
      return 'this gate waits for approve or reject'
    }
    return this.#answer === undefined ? undefined : `already answered by ${this.#answer.by}`
  }
}

/** Validators must be synchronous: an asynchronous one fails the workflow's task and leaves the caller hanging. */
function ensure<T>(refused: (input: T) => string | undefined): (input: T) => void {
  return (input) => {
    const reason = refused(input)
    if (reason !== undefined) throw ApplicationFailure.nonRetryable(reason, 'ApprovalRefused')
  }
}

function ignoring<T>(refused: (input: T) => string | undefined, take: (input: T) => string): (input: T) => void {
  return (input) => {
    if (refused(input) === undefined) take(input)
  }
}
