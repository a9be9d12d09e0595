// What a guard knows of its target, and what it does about it.

import { type Acted, type Begun, type Retry, whyNoOther } from './acted.js'
import type { Subscriptions } from './notice.js'
import type { Standing } from './standing.js'
import type { Hysteresis, SourceVerdict, Verdict } from './verdict.js'

export type GuardPolicy = 'observe' | 'ask' | 'act'

/** What the configuration says, as far as the workflow decides by it; it comes with every look. */
export interface GuardSettings extends Hysteresis {
  /** Null: `act` where the deploy brought no migration, `ask` otherwise. */
  readonly policy: GuardPolicy | null
  readonly mayLoseData: boolean
  /** Whether the target's own policy would lose data without asking. */
  readonly losesUnasked: boolean
  readonly windowMs: number
  readonly silenceMs: number
  readonly undecidedMs: number
  readonly agree: number
  /** Sources whose silence counts from the beginning. */
  readonly expects: readonly string[]
  /** So many looks and reports make one run of the workflow. */
  readonly renewAfter: number
  /** A workflow that wakes so late was away, with Temporal or every worker; looks of earlier versions say nothing of it. */
  readonly absenceMs?: number
  /** What was refused is tried again; in looks of earlier versions it counts as the one rollback of its release. */
  readonly retry?: Retry
  /** Whom it tells; looks of earlier versions have nobody. */
  readonly notifies?: Subscriptions
}

/** A target as the guard's activity last saw it. */
export interface Sight {
  readonly settings: GuardSettings
  readonly standing: Standing
  /** Why nothing counts at the moment: a run at work, a stopped target, the time after a change. */
  readonly pause: string | null
  /** Nobody could ask there; absent where somebody could. */
  readonly unreachable?: true
  /** When what counts now began to count, ISO 8601. */
  readonly countsFrom: string
  /** Debts that may be undone without a person, and those that may not. */
  readonly debts: { readonly payable: number; readonly asking: readonly string[] }
  readonly sources: readonly SourceVerdict[]
  /** Rollbacks by a guard since the release came; absent where Temporal could not say, or was not asked. */
  readonly begun?: readonly Begun[]
}

/** What the query `guard` answers. */
export interface GuardView {
  readonly target: string
  readonly policy: GuardPolicy | null
  readonly verdict: Verdict
  /** Since when it is so. */
  readonly since: string
  readonly sources: readonly SourceVerdict[]
  readonly release: Standing['release']
  readonly pause: string | null
  /** Why a person is called; null where none is needed. */
  readonly calls: string | null
  readonly acted: readonly Acted[]
  /** Reports that were taken, and the last one that could not be. */
  readonly reports: { readonly taken: number; readonly refused: string | null }
}

export type Decision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'call'; readonly why: string }
  | { readonly kind: 'rollback'; readonly asks: boolean; readonly why: string }

/** Data is never lost without a person: what might lose some asks, unless the policy says so in so many words. */
export function decide(input: {
  readonly sight: Sight
  readonly sources: readonly SourceVerdict[]
  readonly verdict: Verdict
  readonly forMs: number
  readonly policy: GuardPolicy | null
  readonly acted: readonly Acted[]
  readonly nowMs: number
}): Decision {
  const { sight, verdict, forMs } = input
  const { settings } = sight
  if (sight.pause !== null || verdict === 'healthy') return { kind: 'nothing' }
  if (verdict === 'inconclusive' && forMs < settings.undecidedMs) return { kind: 'nothing' }
  const policy = input.policy ?? settings.policy ?? (sight.standing.schemaChanged ? 'ask' : 'act')
  const why = reasons(input.sources, verdict)
  const stays = policy === 'observe' ? 'the policy only observes' : whyNot(input)
  if (stays !== null) return { kind: 'call', why: `${why}; ${stays}` }
  return { kind: 'rollback', why, asks: policy === 'ask' || verdict === 'inconclusive' || mayLoseUnasked(sight) }
}

/** `checks: api: status 503`, of the sources that are not well. */
export function reasons(sources: readonly SourceVerdict[], verdict: Verdict): string {
  const bad = sources.filter((it) => it.verdict !== 'healthy' && (it.verdict === verdict || it.verdict === 'degraded'))
  return bad.map((it) => `${it.source}: ${it.detail}`).join('; ') || verdict
}

function whyNot({ sight, sources, acted, nowMs }: Parameters<typeof decide>[0]): string | null {
  const { release, never } = sight.standing
  // A reporter falls silent with its host, and nobody can say of what: it may be restarting.
  if (sight.unreachable) return 'the host cannot be reached'
  if (!release || never !== null) return never ?? 'no release is recorded yet'
  const other = whyNoOther(acted, sight, nowMs)
  if (other !== null) return other
  if (nowMs - Date.parse(release.since) > sight.settings.windowMs)
    return `${release.version} runs since ${release.since}, longer than the guard's window`
  return sources.some((it) => it.verdict === 'degraded') ? null : 'no source is surely degraded'
}

function mayLoseUnasked({ settings, standing }: Sight): boolean {
  return standing.schemaChanged && settings.losesUnasked && !settings.mayLoseData
}
