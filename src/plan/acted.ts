// The rollbacks that a guard began for a release, also one before it: which are over, and which may be tried again.

import type { FailureType } from './failure.js'
import type { Sight } from './guard.js'

/** A rollback that was started, or a release for which nobody but a person can do something. */
export interface Acted {
  readonly release: string
  readonly run: string
  readonly asks: boolean
  readonly at: string
  readonly why: string
  /** How it ended, as far as this guard saw it. */
  readonly outcome: string | null
  /** When it was refused before its first change: it does not count as the one for its release. */
  readonly refusedAt?: string
}

/** The same as Temporal knows it, whichever guard began it. */
export interface Begun {
  readonly run: string
  readonly at: string
  /** It waits at a gate. */
  readonly waits: boolean
  /** Null while it is open. */
  readonly ended: { readonly at: string; readonly type: string; readonly message: string } | null
}

/** How often what was refused is tried, and how long after the first time: four times as long after each. */
export interface Retry {
  readonly times: number
  readonly afterMs: number
}

/** With what Temporal knows and this guard does not: begun by one before it, or ended while it was made anew. */
export function recalled(acted: readonly Acted[], { standing, begun = [] }: Sight): readonly Acted[] {
  const { release } = standing
  if (!release) return acted
  const own = acted.map((it) => {
    const ended = it.outcome === null ? begun.find(({ run }) => run === it.run)?.ended : null
    return ended ? { ...it, ...outcomeOf(ended) } : it
  })
  const unknown = begun.filter(({ run }) => !acted.some((it) => it.run === run))
  return [...own, ...unknown.map((it) => asActed(it, release.id))]
}

/** Why no other rollback is begun now for the release that runs; null where one may be. */
export function whyNoOther(acted: readonly Acted[], sight: Sight, nowMs: number): string | null {
  const mine = ofRelease(acted, sight)
  const { retry } = sight.settings
  const one = mine.find((it) => it.refusedAt === undefined || !retry)
  if (one) return `${one.run} was started for it already`
  const last = mine.at(-1)
  if (!last) return null
  if (isLastTry(acted, sight)) return `${last.run} was refused, as were ${mine.length - 1} before it: ${last.outcome}`
  const waits = nowMs < (nextTryMs(acted, sight) ?? 0)
  return waits ? `${last.run} was refused, and is tried again: ${last.outcome}` : null
}

/** When what was refused is tried again; null where nothing waits for that. */
export function nextTryMs(acted: readonly Acted[], sight: Sight): number | null {
  const mine = ofRelease(acted, sight)
  const { retry } = sight.settings
  const last = mine.at(-1)
  if (last?.refusedAt === undefined || !retry || isLastTry(acted, sight)) return null
  return Date.parse(last.refusedAt) + retry.afterMs * 4 ** (mine.length - 1)
}

export function isLastTry(acted: readonly Acted[], sight: Sight): boolean {
  return ofRelease(acted, sight).length >= (sight.settings.retry?.times ?? 1)
}

function ofRelease(acted: readonly Acted[], { standing }: Sight): Acted[] {
  return acted.filter((it) => it.release === standing.release?.id)
}

/** What an end means for the release: refused, nothing was changed. */
export function outcomeOf(ended: NonNullable<Begun['ended']>): Pick<Acted, 'outcome' | 'refusedAt'> {
  const outcome = ended.type === 'done' ? 'done' : ended.message
  return refusals.includes(ended.type) ? { outcome, refusedAt: ended.at } : { outcome }
}

const refusals: readonly string[] = [
  'Refused',
  'InvalidRequest',
  'InvalidConfiguration',
  'UnknownTarget',
] satisfies FailureType[]

function asActed({ run, at, waits, ended }: Begun, release: string): Acted {
  const why = 'begun by a guard before this one'
  return { release, run, asks: waits, at, why, outcome: null, ...(ended ? outcomeOf(ended) : {}) }
}
