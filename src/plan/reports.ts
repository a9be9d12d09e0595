// Health reports from outside: what counts as one, and what those of one source say, their silence included.

import { type Hysteresis, type SourceVerdict, type Track, track, untried } from './verdict.js'

export interface Health {
  readonly status: 'ok' | 'degraded' | 'down'
  readonly source?: string
  readonly detail?: string
  readonly at?: string
}

/** What is kept of one source. */
export interface Reporter {
  readonly source: string
  readonly track: Track
  readonly detail: string
  /** When the guard heard of it last, ISO 8601. */
  readonly heardAt: string
}

/** A sender of ever new names would fill the guard's memory. */
const maxReporters = 20
const statuses = ['ok', 'degraded', 'down']
const keys = ['status', 'source', 'detail', 'at']

/** Why this is no health report, or nothing. */
export function malformedHealth(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'expected one JSON object'
  const given = input as Record<string, unknown>
  const unknown = Object.keys(given).find((key) => !keys.includes(key))
  if (unknown !== undefined) return `unknown key "${unknown}"; known: ${keys.join(', ')}`
  if (!statuses.includes(given['status'] as string)) return 'status: expected "ok", "degraded" or "down"'
  const wrong = ['source', 'detail'].find((key) => given[key] !== undefined && !isShortText(given[key]))
  if (wrong !== undefined) return `${wrong}: expected a text of 1 to 200 characters`
  return given['at'] === undefined || isTime(given['at']) ? undefined : 'at: expected a time as ISO 8601, with a zone'
}

/** The reporters with one more report. One that was long under way says nothing about now. */
export function hear(
  reporters: readonly Reporter[],
  health: Health,
  rule: Hysteresis & { readonly silenceMs: number; readonly nowMs: number },
): { readonly reporters: readonly Reporter[]; readonly refused: string | null } {
  const { source = 'report', status, detail = status, at } = health
  if (at !== undefined && rule.nowMs - Date.parse(at) > rule.silenceMs)
    return { reporters, refused: `${source}: of ${at}, too late` }
  const before = reporters.find((it) => it.source === source)
  if (!before && reporters.length >= maxReporters)
    return { reporters, refused: `${source}: more than ${maxReporters} sources` }
  const next = track(before?.track ?? untried, status === 'ok' ? 'ok' : 'failing', rule)
  const heard = { source, track: next, detail, heardAt: new Date(rule.nowMs).toISOString() }
  return { reporters: [...reporters.filter((it) => it.source !== source), heard], refused: null }
}

/** What each source says by now. Silence counts from its last word, or from when anything counts at all. */
export function reported(input: {
  readonly reporters: readonly Reporter[]
  readonly expects: readonly string[]
  readonly silenceMs: number
  readonly countsFrom: string
  readonly nowMs: number
}): SourceVerdict[] {
  const { reporters, nowMs, silenceMs } = input
  return all(input).map(({ source, heardAt }) => {
    const reporter = reporters.find((it) => it.source === source)
    const silentMs = nowMs - quietFrom(input, heardAt)
    if (silentMs >= silenceMs)
      return { source, verdict: 'degraded', detail: `silent since ${heardAt ?? input.countsFrom}` }
    return { source, verdict: reporter?.track.verdict ?? 'inconclusive', detail: reporter?.detail ?? 'not heard yet' }
  })
}

/** When the next source will have been silent for too long; null where none is waited for. */
export function nextSilenceMs(input: Parameters<typeof reported>[0]): number | null {
  const ends = all(input).map(({ heardAt }) => quietFrom(input, heardAt) + input.silenceMs - input.nowMs)
  const ahead = ends.filter((it) => it > 0)
  return ahead.length === 0 ? null : Math.min(...ahead)
}

/** Behind a change nothing is carried over: what was said of another release says nothing about this one. */
export function forgotten(reporters: readonly Reporter[]): Reporter[] {
  return reporters.map((it) => ({ ...it, track: untried }))
}

function all({ reporters, expects }: Parameters<typeof reported>[0]): { source: string; heardAt: string | null }[] {
  const silent = expects.filter((source) => !reporters.some((it) => it.source === source))
  return [...reporters, ...silent.map((source) => ({ source, heardAt: null }))]
}

function quietFrom({ countsFrom }: { readonly countsFrom: string }, heardAt: string | null): number {
  return Math.max(Date.parse(countsFrom), heardAt === null ? 0 : Date.parse(heardAt))
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 200
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && /(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
}
