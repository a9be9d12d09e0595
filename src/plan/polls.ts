// What a guard's polls of a target's own checks add up to, and how they were before the release came.

import type { HealthReport } from './progress.js'
import { type Counting, rebased } from './metrics.js'
import type { Standing } from './standing.js'
import { type Hysteresis, type Outcome, type SourceVerdict, type Track, track, untried } from './verdict.js'

/** How often each check was asked under one release, and how often it failed. */
export type Rates = Readonly<Record<string, readonly [polls: number, failing: number]>>

/** What the polls leave behind; small, since it is carried in history. */
export interface PollMemory {
  /** The release that it is about. */
  readonly release: string | null
  readonly checks: Track
  readonly rates: Rates
  readonly baseline: Rates
  readonly metrics: Readonly<Record<string, { readonly counting: Counting; readonly track: Track }>>
  /** When the host was last away, ISO 8601: for as many polls as make up a verdict. */
  readonly awayAt?: string
}

export const nothingPolled: PollMemory = { release: null, checks: untried, rates: {}, baseline: {}, metrics: {} }

/** Another release: what was counted becomes what it is compared with, but never where it was gone back from. */
export function underRelease(memory: PollMemory, release: Standing['release']): PollMemory {
  const id = release?.id ?? null
  if (memory.release === id) return memory
  if (release?.by === 'rollback') return { ...nothingPolled, release: id }
  return { ...begun(memory, rebased), release: id, rates: {}, baseline: memory.rates }
}

/** Behind a change or a pause nothing that was seen before it counts. */
export function afterPause(memory: PollMemory): PollMemory {
  return begun(memory, (counting) => ({ ...counting, last: null, added: [] }))
}

/** The memory with one more poll at which the host could not be reached. */
export function polledNobody(memory: PollMemory, rule: Hysteresis, at: string): ReturnType<typeof polled> {
  const { memory: after, source } = polled(memory, null, rule)
  const newest = after.checks.recent.slice(-rule.failures)
  const away = newest.length === rule.failures && newest.every((it) => it === 'unknown')
  return { memory: away ? { ...after, awayAt: at } : after, source }
}

/** Until when nothing counts: what starts anew takes its time, after a run as after an absence of its host. */
export function graceUntil(memory: PollMemory, endedAt: string | undefined, graceMs: number): number {
  const times = [endedAt, memory.awayAt].filter((it) => it !== undefined)
  return Math.max(0, ...times.map((it) => Date.parse(it) + graceMs))
}

/** The memory with one more poll of all checks; null where nobody could ask. */
export function polled(
  memory: PollMemory,
  reports: readonly HealthReport[] | null,
  rule: Hysteresis,
): { readonly memory: PollMemory; readonly source: SourceVerdict } {
  const outcome = reports ? outcomeOf(reports, memory.baseline) : 'unknown'
  const checks = track(memory.checks, outcome, rule)
  const rates = reports ? withPoll(memory.rates, reports) : memory.rates
  const detail = reports ? describe(reports, memory.baseline) : 'the host cannot be reached'
  return { memory: { ...memory, checks, rates }, source: { source: 'checks', verdict: checks.verdict, detail } }
}

/** A check that failed at every other poll under the release before is not this release's doing. */
function isOld(baseline: Rates, check: string): boolean {
  const [polls, failing] = baseline[check] ?? [0, 0]
  return polls >= fewest && failing * 2 >= polls
}

const fewest = 5
/** Beyond it older polls fade. */
const most = 1_000

function outcomeOf(reports: readonly HealthReport[], baseline: Rates): Outcome {
  const sick = reports.filter((it) => !it.healthy)
  if (sick.length === 0) return 'ok'
  return sick.every((it) => isOld(baseline, it.check)) ? 'unknown' : 'failing'
}

function withPoll(rates: Rates, reports: readonly HealthReport[]): Rates {
  const next = reports.map(({ check, healthy }) => {
    const [polls, failing] = rates[check] ?? [0, 0]
    const fade = polls >= most ? 2 : 1
    return [check, [Math.ceil(polls / fade) + 1, Math.floor(failing / fade) + (healthy ? 0 : 1)]] as const
  })
  return Object.fromEntries(next)
}

function describe(reports: readonly HealthReport[], baseline: Rates): string {
  const sick = reports.filter((it) => !it.healthy)
  const words = sick.map(({ check, detail }) => {
    return `${check}: ${detail}${isOld(baseline, check) ? ', as before this release' : ''}`
  })
  return words.length > 0 ? words.join(', ') : `${reports.length} checks well`
}

function begun(memory: PollMemory, change: (counting: Counting) => Counting): PollMemory {
  const metrics = Object.entries(memory.metrics).map(
    ([name, { counting }]) => [name, { counting: change(counting), track: untried }] as const,
  )
  return { ...memory, checks: untried, metrics: Object.fromEntries(metrics) }
}
