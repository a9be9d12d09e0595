// Pauses that a person ends.

import { CancellationScope, condition } from '@temporalio/workflow'
import { type Answer, describeTerms } from '../plan/gate.js'
import { gateNotice } from '../plan/notice.js'
import type { OpenGate } from '../plan/progress.js'
import { stubbornActs } from './activities.js'
import { Answers } from './answers.js'
import { type RunState, now } from './state.js'

interface Question {
  readonly asks: 'approve' | 'resolve'
  readonly why: string
  /** Without one it waits for as long as it takes. */
  readonly deadlineMs: number | null
}

export class Gate {
  readonly #answers: Answers

  constructor(private readonly state: RunState) {
    this.#answers = new Answers(state)
  }

  /** Waits for an answer; nothing comes back where the deadline passed first. Under a lease the lease is kept meanwhile. */
  async wait(question: Question): Promise<Answer | undefined> {
    const { progress } = this.state
    const before = progress.phase
    const openedAt = now()
    this.#answers.begin()
    progress.gate = this.#opened(question)
    // An approval that is asked for while undoing is the undo's, not the plan's.
    const asksUndo = question.asks === 'approve' && before === 'undoing'
    this.state.enter(question.asks === 'approve' && !asksUndo ? 'waiting-for-approval' : 'waiting-for-operator')
    this.state.notices.tell(gateNotice(this.state.told, progress.gate))
    try {
      return await this.#keepingLease(() => this.#waitForAnswer(question))
    } finally {
      progress.gate = null
      const { asks, why } = question
      progress.gates = [...(progress.gates ?? []), { asks, why, openedAt, closedAt: now() }]
      this.state.enter(before)
    }
  }

  /** Nobody answered, and the configuration goes on then. */
  goOn(): void {
    this.#answers.goOn()
  }

  #opened({ asks, why, deadlineMs }: Question): OpenGate {
    const until = deadlineMs === null ? '' : new Date(Date.now() + deadlineMs).toISOString()
    const terms = asks === 'approve' ? this.state.plan?.approval.terms : undefined
    const needs = terms ? describeTerms(terms) : ''
    const signs = terms && terms.signers.length > 0 ? { signs: this.#answers.text } : {}
    return { asks, why, until, ...(needs === '' ? {} : { needs, approvedBy: [] }), ...signs }
  }

  async #waitForAnswer({ asks, deadlineMs }: Question): Promise<Answer | undefined> {
    const answered = () => this.#answers.answer !== undefined
    if (deadlineMs === null) await condition(answered)
    else await condition(answered, deadlineMs, { summary: `deadline to ${asks}` })
    return this.#answers.answer
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
}
