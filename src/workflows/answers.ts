// What people say to a gate. Updates are answered at once; a signal of the same name does the same without an answer.

import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  log,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import {
  type Answer,
  type Approve,
  type Given,
  type HeardAnswer,
  type Resolve,
  approvalText,
  malformed,
  mustSign,
  refusedApproval,
} from '../plan/gate.js'
import { briefActs } from './activities.js'
import * as messages from './messages.js'
import { type RunState, now } from './state.js'

type Kind = Answer['kind']

/** So many refusals are recorded; more would only fill the history, and a history has an end. */
const recordedRefusals = 100

const descriptions: Readonly<Record<Kind, string>> = {
  approve:
    'Approve the plan: {"by": "you", "digest": "first 8 hex digits or more"}; "signature", where one is asked for',
  reject: 'Reject the plan: {"by": "you"}',
  resolve: 'Answer a step that keeps failing: {"by": "you", "action": "retry" | "skip" | "abort"}',
}

export class Answers {
  #answer: Answer | undefined
  #gate = 0
  #refusals = 0

  constructor(private readonly state: RunState) {
    for (const { kind, update, signal } of messages.answers) {
      setHandler(update, (input) => this.#hear(kind, input), {
        validator: (input) => this.#ensureReadable(kind, input),
        description: descriptions[kind],
      })
      setHandler(signal, (input) => this.#hearSignal(kind, input), {
        description: `${descriptions[kind]}. A signal gets no answer: send an update where a worker is up`,
      })
    }
  }

  /** What ended the wait of the present gate; nothing yet where nobody did. */
  get answer(): Answer | undefined {
    return this.#answer
  }

  /** What a signature of the present gate is over, but for the name. A run that was reset keeps its first id here. */
  get text(): string {
    const { workflowId, originalExecutionRunId } = workflowInfo()
    const digest = this.state.plan?.digest ?? ''
    return approvalText({ run: workflowId, runId: originalExecutionRunId, gate: this.#gate, digest })
  }

  /** Another gate: what was said to the one before does not count. */
  begin(): void {
    this.#answer = undefined
    this.#gate++
  }

  goOn(): void {
    this.#record({ kind: 'approve', by: null, comment: 'nobody answered in time, and the run goes on', refused: null })
  }

  /**
   * What cannot be read stays out of the history, for which it may be too large. Must be synchronous: an asynchronous
   * validator fails the workflow's task and leaves the caller hanging.
   */
  #ensureReadable(kind: Kind, input: unknown): void {
    const flooded = this.#isFlooded ? 'too many answers were refused; this run takes signals only' : undefined
    const refused = malformed(kind, input) ?? flooded
    if (refused === undefined) return
    log.warn('an answer was refused', { kind, refused })
    throw refusal(refused)
  }

  /** A refused signal changes nothing, and must not end the run. */
  async #hearSignal(kind: Kind, input: Given): Promise<void> {
    const refused = malformed(kind, input)
    if (refused !== undefined) return this.#record({ kind, by: null, comment: null, refused })
    try {
      await this.#hear(kind, input)
    } catch (error) {
      const known = error instanceof ApplicationFailure || error instanceof ActivityFailure || isCancellation(error)
      if (!known) throw error
    }
  }

  /** Synchronous where there is no signature to check, as runs under way have it in their histories. */
  #hear(kind: Kind, input: Given): string | Promise<string> {
    this.#ensureTaken(kind, input)
    const signs = kind === 'approve' && mustSign(this.state.plan?.approval.terms, input.by)
    return signs ? this.#hearSigned(input) : this.#take(kind, input)
  }

  /** Keys have no place in a workflow. Meanwhile the gate may have been answered, or be another one. */
  async #hearSigned(input: Approve): Promise<string> {
    const { by, signature = '' } = input
    const text = `${this.text} ${by}`
    const summary = `check the signature of ${by}`
    const wrong = await briefActs.checkSignature.executeWithOptions({ summary }, [{ by, text, signature }])
    if (wrong !== null) throw this.#refuse('approve', input, wrong)
    this.#ensureTaken('approve', input)
    if (text !== `${this.text} ${by}`) throw this.#refuse('approve', input, 'signature: of an earlier gate')
    return this.#take('approve', input, { signed: true })
  }

  #ensureTaken(kind: Kind, input: Given): void {
    const refused = this.#refused(kind) ?? (kind === 'approve' ? this.#refusedApproval(input) : undefined)
    if (refused !== undefined) throw this.#refuse(kind, input, refused)
  }

  #refused(kind: Kind): string | undefined {
    const { gate, phase } = this.state.progress
    const asked = kind === 'resolve' ? ['resolve', 'approve'] : ['approve']
    if (gate === null || !asked.includes(gate.asks)) return `nothing waits to be ${done[kind]}; the run is ${phase}`
    if (kind === 'resolve' && gate.asks === 'approve' && phase === 'waiting-for-approval')
      return 'this gate waits for approve or reject'
    return this.#answer === undefined ? undefined : `already answered by ${this.#answer.by}`
  }

  #refusedApproval(input: Approve): string | undefined {
    const { plan, progress } = this.state
    if (plan === undefined) return undefined
    const { digest, approval } = plan
    // What an undo asks about is always a loss of rows, whatever the plan itself would have lost.
    const dataLoss = approval.dataLoss || progress.phase === 'waiting-for-operator'
    const approvedBy = progress.gate?.approvedBy ?? []
    return refusedApproval(input, { digest, dataLoss, terms: approval.terms, approvedBy })
  }

  #take(kind: Kind, input: Given, how: Pick<HeardAnswer, 'signed'> = {}): string {
    const { by, comment = null } = input
    const { plan } = this.state
    this.#record({
      ...heard(kind, input),
      ...how,
      ...(kind === 'approve' && plan ? { digest: plan.digest } : {}),
      refused: null,
    })
    const left = kind === 'approve' ? this.#approvalsLeft(by) : 0
    if (left > 0) return `approved by ${by}; ${left} more approval${left > 1 ? 's are' : ' is'} needed`
    if (kind === 'resolve') {
      const { action } = input as Resolve
      this.#answer = { kind, by, comment, action }
      return `${action} by ${by}`
    }
    this.#answer = { kind, by, comment }
    return `${done[kind]} by ${by}`
  }

  /** How many the gate still needs behind this one. */
  #approvalsLeft(by: string): number {
    const { plan, progress } = this.state
    const gate = progress.gate!
    const approvedBy = [...(gate.approvedBy ?? []), by]
    if (gate.approvedBy) progress.gate = { ...gate, approvedBy }
    this.state.show()
    return (plan?.approval.terms?.approvals ?? 1) - approvedBy.length
  }

  #refuse(kind: Kind, input: Given, refused: string): ApplicationFailure {
    this.#record({ ...heard(kind, input), refused })
    return refusal(refused)
  }

  #record(answer: Omit<HeardAnswer, 'at'>): void {
    const { answers = [] } = this.state.progress
    if (answer.refused !== null) {
      // Sent as a signal, too, since no worker was up: the update arrives behind it, and says nothing new.
      if (answers.some((it) => it.refused === null && isSame(it, answer))) return
      log.warn('an answer was refused', { kind: answer.kind, by: answer.by, refused: answer.refused })
      if (this.#isFlooded) return
      this.#refusals++
    }
    const said = { at: now(), ...answer }
    this.state.progress.answers = [...answers, said]
    this.state.trail.heard(said)
    this.state.show()
  }

  get #isFlooded(): boolean {
    return this.#refusals >= recordedRefusals
  }
}

const done: Readonly<Record<Kind, string>> = { approve: 'approved', reject: 'rejected', resolve: 'resolved' }

function heard(kind: Kind, input: Given): Omit<HeardAnswer, 'at' | 'refused'> {
  const { by, comment = null } = input
  return { kind, by, comment, ...('action' in input ? { action: input.action } : {}) }
}

function isSame(one: Omit<HeardAnswer, 'at'>, other: Omit<HeardAnswer, 'at'>): boolean {
  return (['kind', 'by', 'comment', 'action'] as const).every((key) => one[key] === other[key])
}

function refusal(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reason, 'ApprovalRefused')
}
