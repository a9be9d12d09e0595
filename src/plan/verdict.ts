// What a row of polls says: healthy, degraded, or nothing that one could act on. Two thresholds, so that it never flaps.

export type Verdict = 'healthy' | 'degraded' | 'inconclusive'

/** What one poll of one source said; unknown where nobody could ask, or too little was seen. */
export type Outcome = 'ok' | 'failing' | 'unknown'

export interface Hysteresis {
  /** So many failing ones... */
  readonly failures: number
  /** ...among the newest so many are degraded. */
  readonly of: number
  /** So many good ones in a row are healthy again. */
  readonly recover: number
}

export interface Track {
  readonly verdict: Verdict
  /** Newest last, no more than the rule needs. */
  readonly recent: readonly Outcome[]
}

export const untried: Track = { verdict: 'inconclusive', recent: [] }

/** The track with one more poll. Between the thresholds the verdict stays what it was. */
export function track(before: Track, outcome: Outcome, rule: Hysteresis): Track {
  const recent = [...before.recent, outcome].slice(-Math.max(rule.of, rule.recover))
  return { recent, verdict: verdictOf(recent, rule) ?? before.verdict }
}

export interface SourceVerdict {
  readonly source: string
  readonly verdict: Verdict
  readonly detail: string
}

/** Degraded where `agree` sources say so; a single one that finds no company is inconclusive, never healthy. */
export function combine(sources: readonly SourceVerdict[], agree: number): Verdict {
  const say = (verdict: Verdict) => sources.filter((it) => it.verdict === verdict).length
  if (say('degraded') >= agree) return 'degraded'
  return say('degraded') > 0 || say('healthy') === 0 ? 'inconclusive' : 'healthy'
}

function verdictOf(recent: readonly Outcome[], { failures, of, recover }: Hysteresis): Verdict | undefined {
  const newest = recent.slice(-of)
  if (newest.filter((it) => it === 'failing').length >= failures) return 'degraded'
  const last = recent.slice(-recover)
  if (last.length === recover && last.every((it) => it === 'ok')) return 'healthy'
  return newest.filter((it) => it !== 'ok').length >= failures ? 'inconclusive' : undefined
}
