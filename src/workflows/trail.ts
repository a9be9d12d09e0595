// What a run leaves in the target's audit record, besides its plan. Answers are written beside the run: whoever gave one
// is not kept waiting for the host.

import { CancellationScope } from '@temporalio/workflow'
import { type Asked, type Ended, type WrittenEnd, askedOf, auditedPlan } from '../plan/audit.js'
import type { HeardAnswer } from '../plan/gate.js'
import type { Circumstances } from '../plan/incident.js'
import type { Plan } from '../plan/plan.js'
import { type HealthReport, type Phase, type Progress, safetyOf } from '../plan/progress.js'
import { briefActs } from './activities.js'

export interface Ending {
  readonly phase: Phase
  /** Why it failed. */
  readonly message?: string
  readonly plan: Plan | undefined
  readonly health: readonly HealthReport[]
  readonly left?: readonly string[]
}

export class Trail {
  readonly asked: Asked
  /** Comes with what activities return: a run of an earlier version lacks it, and issues no new commands. */
  on = false
  /** What the checks said before anything was changed. */
  before: readonly HealthReport[] | undefined
  /** Whether the record has the plan already. */
  begun = false
  readonly #target: string | null
  readonly #writing: Promise<void>[] = []
  readonly #unwritten: HeardAnswer[] = []
  #answers = 0

  /** A dry run leaves nothing anywhere. */
  constructor(
    private readonly progress: Progress,
    request: unknown,
  ) {
    const isDry = (request as { dryRun?: unknown } | null)?.dryRun === true
    this.#target = isDry ? null : progress.target
    this.asked = askedOf(progress.kind, request)
  }

  heard(answer: HeardAnswer): void {
    const target = this.#target
    if (!this.on || target === null) return
    const input = { target, id: `answer.${++this.#answers}`, event: { kind: 'answer', answer } } as const
    const summary = `record: ${answer.kind}${answer.refused === null ? '' : ', refused'}`
    const written = CancellationScope.nonCancellable(() =>
      briefActs.recordAudit.executeWithOptions({ summary }, [input]),
    )
    const lost = () => void this.#unwritten.push(answer)
    this.#writing.push(written.then((it) => ('problem' in it ? lost() : undefined), lost))
  }

  /** Waits for what is being written: the end comes behind it. */
  async settled(): Promise<void> {
    while (this.#writing.length > 0) await this.#writing.shift()
  }

  async end({ phase, message, plan, health, left = [] }: Ending): Promise<Ended> {
    await this.settled()
    const { steps, gates = [], startedAt } = this.progress
    return {
      kind: 'ended',
      asked: this.asked,
      outcome: phase,
      message: message ?? null,
      startedAt,
      ...(plan && !this.begun ? { plan: auditedPlan(plan) } : {}),
      steps,
      gates,
      health,
      ...(this.before ? { before: this.before } : {}),
      restorePoint: safetyOf(this.progress, plan),
      left,
      ...(this.#unwritten.length > 0 ? { answers: this.#unwritten } : {}),
    }
  }

  /** What a note for people needs besides: the record has it already. */
  circumstances(plan: Plan | undefined): Circumstances {
    const { answers = [] } = this.progress
    return { plan: plan ? auditedPlan(plan) : null, answers: answers.filter((it) => it.refused === null) }
  }

  /** The end of a run that holds no lease. Not being able to write it must not hide how the run ended. */
  async write(ending: Ending): Promise<WrittenEnd | undefined> {
    const target = this.#target
    if (target === null) return undefined
    try {
      return await CancellationScope.nonCancellable(async () => {
        const event = await this.end(ending)
        const summary = `record: ${event.outcome}`
        const circumstances = this.circumstances(ending.plan)
        return await briefActs.recordAudit.executeWithOptions({ summary }, [
          { target, id: 'ended', event, circumstances },
        ])
      })
    } catch {
      return undefined
    }
  }
}
