// Watches one target for ever: what its activity sees and what is reported come together here, and are acted upon.

import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  condition,
  continueAsNew,
  isCancellation,
  log,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import type { GuardRequest, Watched } from '../activities/guard.js'
import { type Acted, isLastTry, nextTryMs, outcomeOf, recalled } from '../plan/acted.js'
import { describeGuard } from '../plan/describe-guard.js'
import { type Decision, type GuardView, decide } from '../plan/guard.js'
import {
  type Health,
  type Reporter,
  forgotten,
  hear,
  malformedHealth,
  nextSilenceMs,
  reported,
} from '../plan/reports.js'
import { guardNotice } from '../plan/notice.js'
import { guardRun } from '../plan/standing.js'
import { type SourceVerdict, type Verdict, combine } from '../plan/verdict.js'
import { briefActs, stubbornActs } from './activities.js'
import { Gate } from './gate.js'
import { guardQuery, healthSignal, progressQuery } from './messages.js'
import { failureOf, outliving } from './perform.js'
import { settle } from './lease.js'
import { RunState, now } from './state.js'

/** What a guard's next run goes on with. */
export interface Carried {
  readonly asked: GuardRequest
  readonly seen: Watched
  readonly reporters: readonly Reporter[]
  readonly verdict: Verdict
  readonly since: string
  readonly calls: string | null
  readonly acted: readonly Acted[]
  readonly taken: number
  readonly refused: string | null
  readonly left: LeftDebts | null
  readonly awakeSince?: string
}

/** Debts that it could not undo, so that they are not begun again and again. */
interface LeftDebts {
  readonly payable: number
  readonly why: string
}

/** What keeps it from looking is mended by a person: so long until it tries again. */
const blindMs = 60_000

/** Rollbacks that it remembers; the ledger remembers them all. */
const remembered = 20

export async function guard(request: unknown, carried?: Carried): Promise<never> {
  try {
    return await new Guard(request, carried).forEver()
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
    const { type, message } = failureOf(error)
    throw ApplicationFailure.nonRetryable(message, type)
  }
}

class Guard {
  readonly #state: RunState
  readonly #gate: Gate
  #asked: GuardRequest | undefined
  #seen: Watched | null
  #reporters: readonly Reporter[]
  #verdict: Verdict
  #since: string
  #calls: string | null
  #acted: readonly Acted[]
  #taken: number
  #refused: string | null
  #left: LeftDebts | null
  /** When Temporal or every worker was last back from an absence; empty where none was noticed. */
  #awakeSince: string
  /** What the reporters said when it was last decided. */
  #judged = ''
  /** A rollback was refused since then. */
  #refusal = false
  #beats = 0

  constructor(
    private readonly request: unknown,
    carried?: Carried,
  ) {
    this.#state = new RunState('guard', request)
    this.#asked = carried?.asked
    this.#seen = carried?.seen ?? null
    this.#reporters = carried?.reporters ?? []
    this.#verdict = carried?.verdict ?? 'inconclusive'
    this.#since = carried?.since ?? now()
    this.#calls = carried?.calls ?? null
    this.#acted = carried?.acted ?? []
    this.#taken = carried?.taken ?? 0
    this.#refused = carried?.refused ?? null
    this.#left = carried?.left ?? null
    this.#awakeSince = carried?.awakeSince ?? ''
    this.#gate = new Gate(this.#state)
    setHandler(progressQuery, () => this.#state.progress, { description: 'What it undoes, where it undoes a debt' })
    setHandler(guardQuery, () => this.view(), { description: 'What it sees, and what it did about it' })
    setHandler(healthSignal, (input) => this.#hear(input), {
      description: 'A report: {"status": "ok" | "degraded" | "down", "source": "heartbeat"}',
    })
  }

  async forEver(): Promise<never> {
    this.#asked ??= await outliving(() =>
      briefActs.readGuardRequest.executeWithOptions({ summary: 'read the request' }, [this.request]),
    )
    for (let looks = 1; ; looks++) {
      const seen = await this.#look()
      if (seen) await this.#judge()
      const settled = seen && (await this.#payDebts())
      // A run takes the lease once: released, it is over for this identity, and the next debt is for another run.
      const spent = settled && patched('settle-once')
      if (spent || looks + this.#beats >= this.#sight.settings.renewAfter || workflowInfo().continueAsNewSuggested)
        return await this.#goOn()
    }
  }

  async #goOn(): Promise<never> {
    await this.#state.notices.begun()
    // Stopped meanwhile, the next run would never hear of it.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the guard was stopped')
    return await continueAsNew(this.request, this.#carried())
  }

  view(): GuardView {
    const sight = this.#seen?.sight
    return {
      target: this.#asked?.target ?? '',
      policy: this.#asked?.policy ?? sight?.settings.policy ?? null,
      verdict: this.#verdict,
      since: this.#since,
      sources: this.#sources(),
      release: sight?.standing.release ?? null,
      pause: sight?.pause ?? null,
      calls: this.#calls,
      acted: this.#acted,
      reports: { taken: this.#taken, refused: this.#refused },
    }
  }

  get #sight(): Watched['sight'] {
    return this.#seen!.sight
  }

  /**
   * False where nothing new was seen. That a look fails for good, by a damaged ledger or another host key, is for a
   * person, and no reason to watch no more; but for the first one, whose answer whoever starts a guard waits for.
   */
  async #look(): Promise<boolean> {
    try {
      return await this.#untilSeen()
    } catch (error) {
      if (this.#seen === null || isCancellation(error)) throw error
      const why = `it cannot look: ${failureOf(error).message}`
      this.#tell('guard-fired', why)
      this.#call(why)
      setCurrentDetails(describeGuard(this.view()))
      await sleep(blindMs, { summary: 'until it looks again' })
      return false
    }
  }

  /**
   * Waits for the activity, and judges meanwhile whenever a reporter changes its mind or falls silent. False where
   * reports alone fill the history before it ends.
   */
  async #untilSeen(): Promise<boolean> {
    const paused = this.#seen?.sight.pause != null
    let ended = false
    const scope = new CancellationScope()
    const watching = scope.run(() => this.#watch()).finally(() => (ended = true))
    watching.catch(() => undefined)
    while (!ended) {
      const most = this.#mostBeats()
      const wakes = () => ended || this.#beats >= most || this.#refusal || this.#heardOther()
      await this.#until(wakes)
      if (ended) break
      await this.#judge()
      if (ended || this.#beats < most) continue
      scope.cancel()
      return false
    }
    this.#seen = await watching
    this.#acted = recalled(this.#acted, this.#sight).slice(-remembered)
    this.#state.notices.subscriptions = this.#sight.settings.notifies
    if (paused && this.#sight.pause === null) this.#reporters = forgotten(this.#reporters)
    return true
  }

  /** Who was late had nobody to hear for him: silence counts from then on. */
  async #until(wakes: () => boolean): Promise<void> {
    const ms = this.#nextMs()
    if (ms === null) return await condition(wakes)
    const due = Date.now() + ms
    await condition(wakes, ms, { summary: 'until a silence or a doubt has lasted' })
    if (Date.now() - due > (this.#sight.settings.absenceMs ?? Infinity)) this.#awakeSince = now()
  }

  async #watch(): Promise<Watched> {
    const { sight = null, memory = null } = this.#seen ?? {}
    const summary = sight?.pause ?? 'poll until something changes'
    return await stubbornActs.watchTarget.executeWithOptions({ summary }, [
      { target: this.#asked!.target, known: sight, memory },
    ])
  }

  /** What was polled since the last look is lost with it: more than what a look takes. */
  #mostBeats(): number {
    return this.#seen !== null && patched('bounded-reports') ? 4 * this.#sight.settings.renewAfter : Infinity
  }

  #hear(input: unknown): void {
    this.#beats++
    const bad = malformedHealth(input)
    if (bad !== undefined) return void (this.#refused = bad)
    const rule = this.#seen?.sight.settings ?? { failures: 3, of: 5, recover: 3, silenceMs: 90_000 }
    const { reporters, refused } = hear(this.#reporters, input as Health, { ...rule, nowMs: Date.now() })
    this.#reporters = reporters
    if (refused === null) this.#taken++
    else this.#refused = refused
  }

  #heardOther(): boolean {
    return this.#seen !== null && this.#said() !== this.#judged
  }

  #said(): string {
    return JSON.stringify(this.#reports().map(({ source, verdict }) => [source, verdict]))
  }

  #reports(): SourceVerdict[] {
    return this.#seen === null ? [] : reported(this.#listening())
  }

  #listening() {
    const { settings, countsFrom } = this.#sight
    const from = countsFrom > this.#awakeSince ? countsFrom : this.#awakeSince
    return { reporters: this.#reporters, ...settings, countsFrom: from, nowMs: Date.now() }
  }

  #sources(): SourceVerdict[] {
    return this.#seen === null || this.#sight.pause !== null ? [] : [...this.#sight.sources, ...this.#reports()]
  }

  /** When something changes by time alone; null where nothing does. */
  #nextMs(): number | null {
    if (this.#seen === null || this.#sight.pause !== null) return null
    const doubtMs = Date.parse(this.#since) + this.#sight.settings.undecidedMs - Date.now()
    const doubt = this.#verdict === 'inconclusive' && doubtMs > 0 ? [doubtMs] : []
    const silence = nextSilenceMs(this.#listening())
    const tryMs = nextTryMs(this.#acted, this.#sight) ?? 0
    const again = tryMs > Date.now() ? [tryMs - Date.now()] : []
    const all = [...doubt, ...again, ...(silence === null ? [] : [silence])]
    return all.length === 0 ? null : Math.min(...all) + 1
  }

  async #judge(): Promise<void> {
    const sight = this.#sight
    const sources = this.#sources()
    const verdict = combine(sources, sight.settings.agree)
    if (verdict !== this.#verdict || sight.pause !== null) this.#since = now()
    this.#verdict = verdict
    this.#judged = this.#said()
    this.#refusal = false
    const forMs = Date.now() - Date.parse(this.#since)
    const { policy } = this.#asked!
    const nowMs = Date.now()
    await this.#follow(decide({ sight, sources, verdict, forMs, policy, acted: this.#acted, nowMs }))
    setCurrentDetails(describeGuard(this.view()))
  }

  async #follow(decision: Decision): Promise<void> {
    if (decision.kind === 'rollback') return await this.#rollBack(decision)
    const asking = this.#sight.debts.asking.map((debt) => `a debt waits for a person: ${debt}`)
    const calls = [
      ...(decision.kind === 'call' ? [decision.why] : []),
      ...asking,
      ...(this.#left ? [this.#left.why] : []),
    ]
    const all = calls.length > 0 ? calls.join('; ') : null
    const event = decision.kind === 'call' || asking.length === 0 ? 'guard-fired' : 'debt-found'
    if (all !== null) this.#tell(event, all)
    this.#call(all)
  }

  /** Its words change with every answer: it is told once, until nothing is the matter any more. */
  #tell(event: Parameters<typeof guardNotice>[1], why: string): void {
    if (this.#calls === null) this.#state.notices.tell(guardNotice(this.#state.told, event, `calls a person: ${why}`))
  }

  /** A child of its own life: neither the end nor the stop of the guard ends a rollback. */
  async #rollBack({ asks, why }: { readonly asks: boolean; readonly why: string }): Promise<void> {
    const { target } = this.#asked!
    const release = this.#sight.standing.release!
    const run = `${guardRun(target)}${now().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}`
    const acted: Acted = { release: release.id, run, asks, at: now(), why, outcome: null }
    this.#acted = [...this.#acted, acted].slice(-remembered)
    const calls = `${why}; ${run} ${asks ? 'waits for an approval' : 'goes back'}`
    this.#state.notices.tell(guardNotice(this.#state.told, 'guard-fired', calls))
    this.#call(calls)
    const request = {
      target,
      to: release.id,
      severity: 'failure',
      reason: `the guard: ${why}`.slice(0, 2_000),
      requestedBy: workflowInfo().workflowId,
      ...(asks ? { approval: 'always' } : {}),
    }
    const child = await startChild('rollbackWorkflow', {
      workflowId: run,
      args: [request],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
    }).catch((error: unknown) => void this.#ended(run, { type: 'Unknown', message: failureOf(error).message }))
    child?.result().then(
      () => this.#ended(run, { type: 'done', message: 'done' }),
      (error: unknown) => this.#ended(run, failureOf((error as Error).cause ?? error)),
    )
  }

  #ended(run: string, { type, message }: { readonly type: string; readonly message: string }): void {
    const ended = outcomeOf({ at: now(), type, message })
    this.#acted = this.#acted.map((it) => (it.run === run ? { ...it, ...ended } : it))
    if (type !== 'done') this.#call(`${run}: ${message}`)
    if (ended.refusedAt === undefined || !this.#sight.settings.retry) return
    this.#refusal = true
    const why = `calls a person: ${run} was refused once more: ${message}`
    if (isLastTry(this.#acted, this.#sight)) this.#state.notices.tell(guardNotice(this.#state.told, 'guard-fired', why))
  }

  #call(calls: string | null): void {
    if (calls !== null && calls !== this.#calls) log.warn('the guard calls a person', { calls })
    this.#calls = calls
  }

  /** What another run left is undone first; what needs a person for that is only shown. True where it took the lease. */
  async #payDebts(): Promise<boolean> {
    const { payable } = this.#sight.debts
    if (this.#sight.pause !== null) return false
    if (payable === 0) this.#left = null
    if (payable <= (this.#left?.payable ?? 0)) return false
    try {
      await settle(this.#state, this.#gate, this.#asked!.target)
    } catch (error) {
      const { type, message } = failureOf(error)
      if (type === 'Cancelled') throw error
      this.#left = { payable, why: message }
      this.#call(message)
    }
    setCurrentDetails(describeGuard(this.view()))
    return true
  }

  #carried(): Carried {
    return {
      asked: this.#asked!,
      seen: this.#seen!,
      reporters: this.#reporters,
      verdict: this.#verdict,
      since: this.#since,
      calls: this.#calls,
      acted: this.#acted,
      taken: this.#taken,
      refused: this.#refused,
      left: this.#left,
      awakeSince: this.#awakeSince,
    }
  }
}
