// What must hold when a run is over, whatever happened to it. Decides by what was seen from outside.

import { type Seen, type Wish, differences } from './seen.js'

export interface Ended {
  readonly run: string
  /** `done`, the type of a failure, or null for a run that neither ended nor waited at a gate. */
  readonly outcome: string | null
  readonly message: string
  /** What the run says that it could not put back. */
  readonly left: readonly string[]
  /** It took the place of one that somebody reset, which may have changed what it likes. */
  readonly wasReset?: boolean
}

/** A row that the database acknowledged, and when; ms since 1970. */
export interface Row {
  readonly number: number
  readonly at: number
}

export interface Evidence {
  readonly before: Seen
  readonly after: Seen
  readonly main: Ended
  /** Runs that were started meanwhile, in the order of their ends, and what each was to lead to. */
  readonly others: readonly { readonly ended: Ended; readonly wish: Wish }[]
  readonly asBefore: Wish
  readonly asPlanned: Wish
  readonly byHand: Readonly<Record<string, string>>
  /** Acknowledged rows that nobody has given up. */
  readonly acknowledged: readonly Row[]
  /** While another database was the live one, which went back: what was written into that went with it. */
  readonly elsewhere?: { readonly from: number; readonly to: number } | undefined
  readonly leftovers: readonly string[]
  readonly chain: readonly string[]
  /** How long after its worker's return the run went on. */
  readonly resumedAfterMs?: number | undefined
}

export interface Verdict {
  /** A line each; nothing held where there is one. */
  readonly violations: readonly string[]
  /** Which state it is: the name of a wish. */
  readonly state: string
}

/** A run goes on so soon when there is a worker again. */
const resumesWithinMs = 10_000

export function judge(evidence: Evidence): Verdict {
  const { before, after, main, others } = evidence
  const found = stateOf(evidence)
  const honest = [main, ...others.map((it) => it.ended)].some((it) => it.outcome === 'NotUndone' && it.left.length > 0)
  const state = found.wish?.name ?? (honest ? 'as the run says' : 'neither')
  return {
    state,
    violations: [
      ...(state === 'neither' ? [`the target is in no state that it may be in: ${found.why}`] : []),
      ...(state === 'as the run says' ? unsaid(evidence) : []),
      ...[main, ...others.map((it) => it.ended)].flatMap(endless),
      ...twice(after.migrations),
      ...changed(before.soul, after.soul),
      ...lostRows(evidence, found.wish),
      ...evidence.leftovers.filter((it) => !isSaid(evidence, it)).map((it) => `left behind: ${it}`),
      ...evidence.chain.map((it) => `the chain is broken: ${it}`),
      ...late(evidence.resumedAfterMs),
    ],
  }
}

/** The states that what was said at the end allows. */
export function allowed({ main, others, asBefore, asPlanned }: Evidence): Wish[] {
  const done = others.filter(({ ended }) => ended.outcome === 'done').map(({ wish }) => wish)
  if (done.length > 0) return main.outcome === 'done' ? [...done, asPlanned] : done
  if (main.outcome === 'done') return [asPlanned]
  return main.outcome === 'Undone' || changedNothing(main) ? [asBefore] : [asBefore, asPlanned]
}

/** Whoever ends by itself gives the lease back and leaves no debt: what is found behind it is a violation. */
export function mayLeave(ended: Ended): boolean {
  return !['done', 'NotUndone', 'Undone'].includes(ended.outcome ?? '') && !changedNothing(ended)
}

/** It ended before it had the lease, and so did not come to what a run before it may have left. */
function changedNothing({ outcome, wasReset = false }: Ended): boolean {
  return !wasReset && ['Refused', 'Rejected', 'ApprovalTimeout', 'Cancelled', 'InvalidRequest'].includes(outcome ?? '')
}

function stateOf(evidence: Evidence): { readonly wish?: Wish; readonly why: string } {
  const wishes = allowed(evidence)
  const found = wishes.map((wish) => ({ wish, wrong: differences(evidence.after, wish, evidence.byHand) }))
  const matching = found.find(({ wrong }) => wrong.length === 0)
  const said = `${evidence.main.run} ended as ${evidence.main.outcome}`
  const why = found.map(({ wish, wrong }) => `not ${wish.name} (${wrong.slice(0, 6).join('; ')})`).join(', ')
  return matching ? { wish: matching.wish, why: '' } : { why: `${said}; ${why}` }
}

/** What is not as it was, nor as planned, and is of no part that a run says it could not put back. */
function unsaid(evidence: Evidence): string[] {
  const { after, byHand } = evidence
  const unnamed = allowed(evidence).map((wish) =>
    differences(after, wish, byHand).filter((it) => !isSaid(evidence, it)),
  )
  const [least = []] = unnamed.toSorted((one, other) => one.length - other.length)
  return least.map((it) => `no run says of what it left that ${it}`)
}

/** Whether a run that could not put everything back names the part that this is of. */
function isSaid({ main, others }: Evidence, wrong: string): boolean {
  const said = [main, ...others.map(({ ended }) => ended)].flatMap(({ left }) => left).join('\n')
  return parts.some(({ seen, named }) => seen.test(wrong) && named.test(said))
}

/** Each part of a target by the words of what was seen, and by those of acts and checks. */
const parts = [
  // Dropped by the next prune.
  { seen: /^database /, named: /copy|database/ },
  { seen: /^file /, named: /file/ },
  { seen: /^(image|reference) of /, named: /image/ },
  { seen: /^(table|the schema|migrations) /, named: /database|revert|migrat/ },
  {
    seen: /^(the application says|check) | is (running|restarting|exited|created|dead|paused)/,
    named: /start|stop|health|version|api|brain|web|grafana/i,
  },
]

function endless({ run, outcome }: Ended): string[] {
  return outcome === null ? [`${run} did not end, and waits at no gate`] : []
}

function twice(migrations: readonly string[]): string[] {
  const again = migrations.filter((name, index) => migrations.indexOf(name) !== index)
  return again.map((name) => `migration ${name} was applied more than once`)
}

function changed(before: Seen['soul'], after: Seen['soul']): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.filter((name) => before[name] !== after[name]).map((name) => `soul/${name} was touched`)
}

/** Of the database of before nothing may be missing; of another one, what came after its restore point may. */
function lostRows(evidence: Evidence, wish: Wish | undefined): string[] {
  const { before, after, acknowledged, others, asPlanned, elsewhere } = evidence
  const there = new Set(after.rows)
  const kept = after.oid === before.oid || (wish?.keepsRows && others.length === 0)
  // Two runs, and it may have gone back with either.
  const either = others.length > 0 ? [asPlanned, ...others.map((it) => it.wish)].map((it) => it.takenAt) : []
  const until = kept ? Infinity : Math.min(wish?.takenAt ?? 0, ...either)
  const isElsewhere = ({ at }: Row) => elsewhere !== undefined && at >= elsewhere.from && at <= elsewhere.to
  const missing = acknowledged.filter((row) => row.at < until && !isElsewhere(row) && !there.has(row.number))
  const again = after.rows.length - there.size
  return [
    ...(missing.length > 0
      ? [`${missing.length} acknowledged rows are missing, first number ${missing[0]!.number}`]
      : []),
    ...(again > 0 ? [`${again} rows are there more than once`] : []),
  ]
}

function late(resumedAfterMs: number | undefined): string[] {
  if (resumedAfterMs === undefined || resumedAfterMs <= resumesWithinMs) return []
  return [`the run went on only ${(resumedAfterMs / 1_000).toFixed(1)} s after its worker was back`]
}
