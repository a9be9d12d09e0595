// Whether a lease that somebody holds may be taken.

import type { Holder, Host, LeaseState } from '../adapters/host.js'
import type { RunKind } from '../plan/plan.js'
import type { Deps } from './deps.js'

/** Unrenewed for so long, without a living job: its holder is gone even where Temporal cannot say so. */
const expiredSeconds = 15 * 60
/** A script that died goes on when it is started again: whoever does so is left the time for it. */
const deadScriptSeconds = 90
/** How long a run that is pre-empted may take to undo itself. */
const handOverMs = 2 * 60_000

/** Whether nobody is there any more to give it back, whatever Temporal says. */
export async function isExpired(host: Pick<Host, 'scriptLives'>, state: LeaseState): Promise<boolean> {
  const { holder, livingJobs, unrenewedSeconds } = state
  if (livingJobs.length > 0) return false
  if (unrenewedSeconds > expiredSeconds) return true
  return holder?.kind === 'script' && unrenewedSeconds > deadScriptSeconds && !(await host.scriptLives(holder))
}

/** Decides whether a lease that someone holds may be taken, and asks its holder to hand over where it should. */
export class Judge {
  saw = 'free'
  #askedSince: number | undefined

  constructor(
    private readonly deps: Deps,
    private readonly host: Host,
    private readonly kind: RunKind | 'guard',
    private readonly waits = false,
  ) {}

  async mayTake(state: LeaseState): Promise<'closed' | 'expired' | 'pre-empted' | undefined> {
    const reason = state.holder ? await this.#reason(state.holder, state) : undefined
    this.saw = reason ?? this.saw
    return reason
  }

  async #reason(holder: Holder, state: LeaseState): Promise<'closed' | 'expired' | 'pre-empted' | undefined> {
    if (this.kind === 'emergency') return 'pre-empted'
    if ((await this.deps.runs.state(holder)) === 'closed') return 'closed'
    if (await isExpired(this.host, state)) return 'expired'
    if (this.kind !== 'rollback' || this.waits) return undefined
    // A guard is never cancelled: it lasts for ever, and the debt that it undoes ends, or waits at a gate.
    if (holder.kind === 'guard') return (await this.#waitsAtGate(holder)) ? 'pre-empted' : undefined
    return holder.kind === 'deploy' || holder.kind === 'backup' ? await this.#preempt(holder) : undefined
  }

  async #waitsAtGate(holder: Holder): Promise<boolean> {
    return await this.deps.runs.waitsAtGate(holder).catch(() => false)
  }

  /** A deploy is cancelled and undoes itself; one that waits at a gate, or takes too long, is fenced. */
  async #preempt(holder: Holder): Promise<'pre-empted' | undefined> {
    if (await this.#waitsAtGate(holder)) return 'pre-empted'
    if (this.#askedSince === undefined) {
      this.#askedSince = Date.now()
      await this.deps.runs.cancel(holder)
    }
    return Date.now() - this.#askedSince > handOverMs ? 'pre-empted' : undefined
  }
}
