// Walks a recorded plan: each step's undo is pushed before the step runs, since one that timed out may have acted.

import { CancellationScope, patched } from '@temporalio/workflow'
import type { Act, Step } from '../plan/act.js'
import { lostForGood } from '../plan/exposure.js'
import type { RunId } from '../plan/ledger.js'
import type { Plan, Shown } from '../plan/plan.js'
import type { Gate } from './gate.js'
import { type Failed, GiveUp, failureOf, isUnknown, outliving, perform } from './perform.js'
import { type RunState, now } from './state.js'

export interface Lease {
  readonly target: string
  readonly token: number
}

export class Walk {
  readonly #undo: Undo[] = []
  readonly #background: Background[] = []
  #asked: Promise<unknown> = Promise.resolve()
  #committed = false
  #givenUp = false
  #deleted = false

  constructor(
    private readonly input: {
      readonly state: RunState
      readonly gate: Gate
      readonly plan: Plan
      readonly lease: Lease
      /** The run whose plan this is: the own one, or the one that left a debt. */
      readonly origin: RunId
    },
  ) {}

  /** Whether a person ended the undoing: what was left then was not even tried. */
  get givenUp(): boolean {
    return this.#givenUp
  }

  /** Runs every step in order; throws `GiveUp` when what was done has to be undone. */
  async steps(): Promise<void> {
    const { steps } = this.input.plan
    for (let index = 0; index < steps.length;) {
      const step = steps[index]!
      // Nobody could put back what a step removes while the run may still be cancelled.
      if (deleting.includes(step.act.name)) await this.#backgroundDone()
      if (step.background) {
        this.#begin(step, index++)
        continue
      }
      const end = steps.findIndex((it, at) => at > index && !it.beside)
      const together = steps.slice(index, end === -1 ? undefined : end)
      await this.#together(together.map((it, at) => this.#step(it, index + at)))
      index += together.length
    }
    await this.#backgroundDone(steps.length - 1)
  }

  /** None is left half-way because another one failed: each comes to an end of its own. */
  async #together(steps: readonly Promise<void>[]): Promise<void> {
    for (const ended of await Promise.allSettled(steps)) if (ended.status === 'rejected') throw ended.reason
  }

  /** The look at the end belongs to the run: one that cannot look, or is cancelled meanwhile, is not done. */
  async seeing<T>(look: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const seen = await this.#seen(look)
    await this.#backgroundDone()
    return seen
  }

  async #seen<T>(look: () => Promise<readonly T[]>): Promise<readonly T[]> {
    for (;;) {
      try {
        return await (this.#deleted ? CancellationScope.nonCancellable(look) : look())
      } catch (error) {
        if ((await this.#afterFailure('look at what is there now', failureOf(error))) === 'skip') return []
      }
    }
  }

  /**
   * Undoes what was started, last first; nothing cancels it. Returns what could not be undone, so that the first error
   * is never hidden by a later one.
   */
  async undo(): Promise<string[]> {
    return await CancellationScope.nonCancellable(async () => {
      await this.#endBackground()
      const left: string[] = []
      while (this.#undo.length > 0) left.push(...(await this.#undoStep(this.#undo.pop()!)))
      return left
    })
  }

  /** Undoes what another run had started and left. */
  async pay(started: readonly number[]): Promise<string[]> {
    for (const index of started) {
      this.#undo.push({ step: index, acts: this.input.plan.steps[index]!.undo, tries: 1 })
      this.input.state.progress.steps[index]!.state = 'failed'
    }
    return await this.undo()
  }

  /** What goes on beside the steps behind it. It fails for itself alone: its step says so, and the run goes on. */
  #begin(step: Step, index: number): void {
    const scope = new CancellationScope()
    const undo: Undo = { step: index, acts: step.undo, tries: 1 }
    this.#undo.push(undo)
    this.input.state.changed = true
    const shown = this.input.state.progress.steps[index]!
    Object.assign(shown, { state: 'running', startedAt: now() })
    this.input.state.show()
    const work = scope.run(() => this.#act({ act: step.act, step: index, number: 0, attempt: 1 }))
    const ended = work.then(
      ({ attempts, detail }) => void Object.assign(shown, { state: 'done', attempts, detail, finishedAt: now() }),
      async (error: unknown) => {
        const failed = failureOf(error)
        Object.assign(shown, { state: 'failed', attempts: 1, detail: failed.message, finishedAt: now() })
        // Nobody knows how far it came, and a run that goes on to its end undoes nothing behind that.
        if (isUnknown(failed) && patched('clear-background')) {
          const left = await scope.run(() => this.#clear(undo))
          if (left.length > 0) shown.detail = [failed.message, ...left].join('; ')
        }
        return failed
      },
    )
    this.#background.push({ index, scope, ended })
  }

  /** Puts a step back while the run goes on; nobody is asked, since it is tried once more where the run is undone. */
  async #clear(undo: Undo): Promise<string[]> {
    const { step, acts } = undo
    const attempt = undo.tries++
    const left: string[] = []
    for (const [index, act] of acts.entries()) {
      const work = outliving(() => this.#act({ act, step, number: index + 1, attempt }))
      await work.catch((error: unknown) => void left.push(`${act.title}: ${failureOf(error).message}`))
    }
    return left
  }

  /**
   * Losing the lease, or being cancelled, ends the run wherever it shows. `but`: a step that is not waited for, since the
   * last one may go on beside the look at the end.
   */
  async #backgroundDone(but?: number): Promise<void> {
    for (const { index, ended } of this.#background) {
      const failed = index === but ? undefined : await ended
      if (failed && ['Cancelled', 'Fenced', 'StaleLease'].includes(failed.type)) throw new GiveUp(failed)
    }
    this.input.state.show()
  }

  async #endBackground(): Promise<void> {
    for (const { scope, ended } of this.#background.splice(0)) {
      scope.cancel()
      await ended
    }
  }

  async #step(step: Step, index: number): Promise<void> {
    const shown = this.input.state.progress.steps[index]!
    const undo: Undo = { step: index, acts: step.undo, tries: 1 }
    let { act } = step
    this.#undo.push(undo)
    this.input.state.changed = true
    shown.startedAt = now()
    for (let attempt = 1; ; attempt++) {
      undo.tries = attempt
      Object.assign(shown, { state: 'running', finishedAt: null })
      this.input.state.show()
      try {
        const result = await this.#act({ act, step: index, number: 0, attempt })
        if (step.commit) this.#committed = true
        Object.assign(shown, {
          state: 'done',
          attempts: shown.attempts + result.attempts,
          detail: result.detail,
          finishedAt: now(),
        })
        return this.input.state.show()
      } catch (error) {
        const failed = failureOf(error)
        if (step.commit && mayHaveActed(step.act, failed)) this.#committed = true
        Object.assign(shown, {
          state: 'failed',
          attempts: shown.attempts + 1,
          detail: failed.message,
          finishedAt: now(),
        })
        this.input.state.show()
        if (failed.asks === 'approval') act = await this.#askAgain(act, failed)
        else if ((await this.#afterFailure(act.title, failed)) === 'skip') return void (shown.state = 'skipped')
      }
    }
  }

  /** Definite failures undo at once; behind the commit step of a way back or an emergency, and where nobody knows, a person decides. */
  async #afterFailure(title: string, failed: Failed): Promise<'retry' | 'skip'> {
    if (failed.type === 'Cancelled' || failed.type === 'Fenced' || failed.type === 'StaleLease')
      throw new GiveUp(failed)
    const { plan, gate } = this.input
    const stays = (plan.kind === 'rollback' || plan.kind === 'emergency') && this.#committed
    if (!stays && !isUnknown(failed)) throw new GiveUp(failed)
    const answer = await this.#orCancelled(() =>
      gate.wait({
        asks: 'resolve',
        why: `${title}: ${failed.message}`,
        deadlineMs: stays ? null : plan.deadlines.operatorMs,
      }),
    )
    if (answer?.kind !== 'resolve' || answer.action === 'abort') throw new GiveUp(failed)
    return answer.action
  }

  /** More would be lost than was approved: back to the gate, with the application stopped and the database open. */
  async #askAgain(act: Act, failed: Failed): Promise<Act> {
    const { plan, gate, state } = this.input
    state.showLoss(failed.exposure)
    const why = `${act.title}: ${failed.message}`
    const answer = await this.#orCancelled(() =>
      gate.wait({ asks: 'approve', why, deadlineMs: plan.deadlines.approvalMs }),
    )
    if (answer?.kind === 'approve') return allowLoss(act, failed)
    const message = answer ? `${failed.message}; rejected by ${answer.by}` : failed.message
    throw new GiveUp({ ...failed, message })
  }

  /** One at a time is asked about, where steps beside each other both fail. */
  async #orCancelled<T>(wait: () => Promise<T>): Promise<T> {
    const asked = this.#asked.then(wait)
    this.#asked = asked.catch(() => undefined)
    try {
      return await asked
    } catch (error) {
      throw new GiveUp(failureOf(error))
    }
  }

  async #undoStep({ step, acts, tries }: Undo): Promise<string[]> {
    const shown = this.input.state.progress.steps[step]!
    const left: string[] = []
    for (const [index, act] of acts.entries()) {
      const failure = this.#givenUp
        ? `${act.title}: not tried`
        : await this.#undoAct({ act, step, number: index + 1, tries })
      if (failure !== undefined) left.push(failure)
    }
    const { act: done } = this.input.plan.steps[step]!
    if (deleting.includes(done.name)) left.push(`${done.title}: what it had removed is gone`)
    if (left.length > 0) shown.state = 'undo-failed'
    else if (acts.length > 0) shown.state = 'undone'
    this.input.state.show()
    return left
  }

  /**
   * One act of an undo, until it is done or a person gives it up; what is left is returned, never thrown. Its tries are
   * counted on from those of the do, since that number says how many jobs of the do have to be ended first.
   */
  async #undoAct(input: {
    readonly act: Act
    readonly step: number
    readonly number: number
    readonly tries: number
  }): Promise<string | undefined> {
    let { act } = input
    for (let attempt = input.tries; ; attempt++) {
      try {
        // A machine that starves its workers says nothing about the undo, and nobody may be there to ask.
        await outliving(() => this.#act({ ...input, act, attempt }))
        return undefined
      } catch (error) {
        const failed = failureOf(error)
        if (failed.type === 'Fenced' || failed.type === 'StaleLease') throw new GiveUp(failed)
        const answer = await this.#askAboutUndo(act, failed)
        if (answer === 'skip') return `${act.title}: ${failed.message}`
        if (answer === 'abort') {
          this.#givenUp = true
          return `${act.title}: ${failed.message}; given up`
        }
        act = answer === 'allow' ? allowLoss(act, failed) : act
      }
    }
  }

  async #askAboutUndo(act: Act, failed: Failed): Promise<'retry' | 'skip' | 'abort' | 'allow'> {
    const { state, gate } = this.input
    // Undone but unhealthy ends as not undone: no other try would put more back.
    if (act.name === 'checkHealth' && !isUnknown(failed)) return 'skip'
    const loses = failed.type === 'ExposureExceeded' && failed.exposure !== null
    if (loses) state.showLoss(failed.exposure)
    const answer = await gate.wait({
      asks: loses ? 'approve' : 'resolve',
      why: `${act.title}: ${failed.message}`,
      deadlineMs: null,
    })
    if (answer?.kind === 'approve') return 'allow'
    return answer?.kind === 'resolve' ? answer.action : 'abort'
  }

  /** What deletes runs to its end: nobody could put back what it had removed by then. */
  #act(input: Attempt) {
    if (!deleting.includes(input.act.name)) return this.#perform(input)
    this.#deleted = true
    return CancellationScope.nonCancellable(() => this.#perform(input))
  }

  #perform(input: Attempt) {
    const { plan, lease, origin } = this.input
    const summary =
      input.number > 0 ? `undo: ${input.act.title}` : `${input.step + 1}/${plan.steps.length} ${input.act.title}`
    return perform({
      act: input.act,
      summary,
      run: {
        ...lease,
        origin,
        safety: plan.safety,
        ...shownTo(input.act, plan),
        step: input.step,
        stepName: plan.steps[input.step]!.act.name,
        undo: input.number,
        attempt: input.attempt,
      },
    })
  }
}

interface Background {
  readonly index: number
  readonly scope: CancellationScope
  /** How it failed; nothing where it went well. */
  readonly ended: Promise<Failed | void>
}

const deleting: readonly Act['name'][] = [
  'pruneRestorePoints',
  'dropCopies',
  'removeContainers',
  'removeImages',
  'pruneBuildCache',
  'removeVolumes',
  'removeDumps',
  'removeLogs',
]

interface Attempt {
  readonly act: Act
  readonly step: number
  readonly number: number
  readonly attempt: number
}

interface Undo {
  readonly step: number
  readonly acts: readonly Act[]
  /** How often the do was tried under a key of its own. */
  tries: number
}

/** A swap that failed for certain left all as it was; a start that failed has replaced containers by then. */
function mayHaveActed(act: Act, failed: Failed): boolean {
  return act.name !== 'swapDatabase' || isUnknown(failed)
}

/** Only an exchange of databases needs it, and a history should not be larger than it has to. */
function shownTo(act: Act, { exposure, counters }: Plan): { readonly shown?: Shown } {
  if (act.name !== 'swapDatabase' || !exposure) return {}
  return { shown: { exposure, ...(counters ? { counters } : {}) } }
}

function allowLoss(act: Act, failed: Failed): Act {
  const { exposure } = failed
  if (exposure && act.name === 'migrateDown')
    return { ...act, args: { ...act.args, mayLoseRows: lostForGood(exposure.tables) } }
  if (act.name !== 'swapDatabase') return act
  return { ...act, args: { ...act.args, mayLoseRows: exposure?.total ?? act.args.mayLoseRows } }
}
