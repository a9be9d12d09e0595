// Whether an audit record is the one that its writers saw. Its own hashes find an edit in the middle; whoever computes
// them anew, or cuts the end off, is found by what Temporal and exported histories remember of it.

import type { AuditHead } from './audit.js'

/** A head as some run's history has it. */
export interface Anchor extends AuditHead {
  readonly run: string
}

export interface Verified {
  readonly entries: number
  readonly anchors: number
  /** The furthest that any history vouches for; entries behind it rest on the chain alone. */
  readonly newest: Anchor | null
  readonly findings: readonly string[]
}

export function verify(input: {
  readonly records: readonly AuditHead[]
  readonly damage: readonly { readonly number: number; readonly what: string }[]
  readonly anchors: readonly Anchor[]
}): Verified {
  const { records, damage } = input
  const anchors = input.anchors.toSorted((one, other) => one.number - other.number)
  const findings = [...damage.map(({ number, what }) => `entry ${number} ${what}`), ...disagreements(records, anchors)]
  return { entries: records.length, anchors: anchors.length, newest: anchors.at(-1) ?? null, findings }
}

function disagreements(records: readonly AuditHead[], anchors: readonly Anchor[]): string[] {
  const found = new Map(records.map((it) => [it.number, it.sha256]))
  const last = Math.max(0, ...found.keys())
  const other = anchors.filter(({ number, sha256 }) => found.has(number) && found.get(number) !== sha256)
  const cut = anchors.filter(({ number }) => number > last)
  return [
    ...summed(
      other,
      ({ number, run }) =>
        `entry ${number} is not the one that ${run} saw: it was changed, or the chain was computed anew`,
    ),
    ...summed(cut, ({ number, run }) => `the end was cut off: ${run} saw entry ${number}, and the last one is ${last}`),
  ]
}

/** One changed entry changes all behind it: the first says where, the rest only how many agree. */
function summed(anchors: readonly Anchor[], say: (anchor: Anchor) => string): string[] {
  const [first] = anchors
  if (!first) return []
  return [anchors.length > 1 ? `${say(first)}; ${anchors.length - 1} more say so` : say(first)]
}
