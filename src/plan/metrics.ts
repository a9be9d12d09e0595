// Error rates from counters in Prometheus' text format, and how many must have been counted before they mean anything.

import type { Outcome } from './verdict.js'

/** A metric by its name, and labels that it must have; `*` in a label's value is anything. */
export interface Selector {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
}

export interface RateRule {
  readonly total: Selector
  readonly errors: Selector
  /** A share, 0 to 1. */
  readonly above: number
  /** So many must have been counted. */
  readonly minimum: number
}

export interface Counted {
  readonly total: number
  readonly errors: number
}

/** Counters as last read, what was added at each of the newest polls, and the share before the release came. */
export interface Counting {
  readonly last: Counted | null
  readonly added: readonly Counted[]
  readonly all: Counted
  readonly baseline: number
}

export const uncounted: Counting = { last: null, added: [], all: { total: 0, errors: 0 }, baseline: 0 }

/** A minute of polls at every 5 s. */
const polls = 12

/** The sums that a rule asks for; null where the metric is not there. */
export function readCounters(text: string, rule: RateRule): Counted | null {
  const total = sumOf(text, rule.total)
  return total === null ? null : { total, errors: sumOf(text, rule.errors) ?? 0 }
}

/** The counting with one more reading. A counter that fell began anew. */
export function count(before: Counting, now: Counted): Counting {
  const { last } = before
  if (!last) return { ...before, last: now }
  const added = now.total < last.total ? now : { total: now.total - last.total, errors: now.errors - last.errors }
  const one = { total: added.total, errors: Math.max(0, added.errors) }
  return { ...before, last: now, added: [...before.added, one].slice(-polls), all: plus(before.all, one) }
}

/** A new release is compared with what was counted under the one before. */
export function rebased({ last, all, baseline }: Counting): Counting {
  return { ...uncounted, last, baseline: all.total > 0 ? all.errors / all.total : baseline }
}

/** Failing only where even the lower end of what the share may be lies above the threshold and twice the baseline. */
export function rateOutcome({ added, baseline }: Counting, rule: RateRule): Outcome {
  const { total, errors } = added.reduce(plus, { total: 0, errors: 0 })
  if (total < rule.minimum) return 'unknown'
  return lowerBound(errors, total) > Math.max(rule.above, 2 * baseline) ? 'failing' : 'ok'
}

export function describeRate({ added }: Counting): string {
  const { total, errors } = added.reduce(plus, { total: 0, errors: 0 })
  return `${errors} of ${total} failed`
}

function plus(a: Counted, b: Counted): Counted {
  return { total: a.total + b.total, errors: a.errors + b.errors }
}

/** The lower end of Wilson's interval of 95 %. */
function lowerBound(errors: number, total: number): number {
  const z = 1.96
  const share = errors / total
  const middle = share + (z * z) / (2 * total)
  const width = z * Math.sqrt((share * (1 - share) + (z * z) / (4 * total)) / total)
  return (middle - width) / (1 + (z * z) / total)
}

function sumOf(text: string, { metric, labels }: Selector): number | null {
  const values = text.split('\n').flatMap((line) => {
    const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line)
    if (!sample || sample[1] !== metric || !fits(sample[2] ?? '', labels)) return []
    const value = Number(sample[3])
    return Number.isFinite(value) ? [value] : []
  })
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
}

function fits(text: string, wanted: Selector['labels']): boolean {
  const found = new Map([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value!]))
  return Object.entries(wanted).every(([key, value]) => matches(found.get(key), value))
}

function matches(found: string | undefined, wanted: string): boolean {
  const parts = wanted.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return found !== undefined && new RegExp(`^${parts.join('.*')}$`, 's').test(found)
}
