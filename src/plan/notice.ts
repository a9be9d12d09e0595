// What is told to the outside: to which channel, in which words. No secret is in it, and nothing of it is interpreted.

import { describeMs } from './duration.js'
import { heading, needsOf, nextCommand, typed } from './describe.js'
import type { Debt } from './ledger.js'
import type { RunKind } from './plan.js'
import type { OpenGate, Phase, Progress } from './progress.js'
import type { Span } from './trace.js'

export const noticeEvents = ['gate-opened', 'run-ended', 'guard-fired', 'debt-found'] as const

export type NoticeEvent = (typeof noticeEvents)[number]
export type Channel = 'webhook' | 'grafana' | 'traces'

/** Which events each channel wants to hear of. */
export type Subscriptions = { readonly [C in Channel]?: readonly NoticeEvent[] }

export interface Notice {
  readonly event: NoticeEvent
  readonly at: string
  readonly target: string
  /** The workflow's id. */
  readonly run: string
  readonly kind: RunKind | 'guard'
  /** For people: a line, and below it what they can type. */
  readonly text: string
  readonly phase?: Phase
  readonly startedAt?: string
  /** What runs when it is done. */
  readonly version?: string
  readonly restorePoint?: string
  readonly digest?: string
  readonly requestedBy?: string
  readonly reason?: string
  readonly gate?: OpenGate
  /** For traces alone. */
  readonly spans?: readonly Span[]
}

export function channelsFor(event: NoticeEvent, subscriptions: Subscriptions = {}): Channel[] {
  return (['webhook', 'grafana', 'traces'] as const).filter((channel) => subscriptions[channel]?.includes(event))
}

interface Told {
  readonly at: string
  readonly run: string
  readonly progress: Progress
  /** What runs when it is done; undefined where nothing is planned yet. */
  readonly version: string | undefined
  /** The raw request. */
  readonly request: unknown
}

/** A run waits for a person. */
export function gateNotice(told: Told, gate: OpenGate): Notice {
  const { progress, run } = told
  const until = gate.until === '' ? '' : `, until ${gate.until}`
  const needs = needsOf(gate)
  const lines = [
    `${subject(told)} waits for a person: ${gate.why}${until}`,
    ...asked(told),
    ...(needs === null ? [] : [needs]),
    nextCommand(progress, run).trim(),
  ]
  return { ...common(told, 'gate-opened', lines), gate }
}

/** A run ended, however it did. */
export function endNotice(told: Told, failed: string | null): Notice {
  const { progress, run } = told
  const took = progress.finishedAt ? describeMs(Date.parse(progress.finishedAt) - Date.parse(progress.startedAt)) : ''
  const ended = `${subject(told)} ended as ${progress.phase}${took === '' ? '' : ` after ${took}`}`
  const lines = failed === null ? [ended] : `${ended}: ${failed}`.split('\n')
  return common(told, 'run-ended', [...lines, ...asked(told), `stepback watch ${typed(run)}`])
}

/** Runs that ended without an end were found; they are undone before anything else, or need a person. */
export function debtNotice(told: Told, debts: readonly Debt[]): Notice {
  const lines = debts.map(({ run, started, ask }) => {
    const then = ask === undefined ? `${told.run} undoes it` : `it waits for a person: ${ask}`
    return `${run.workflowId} ended without an end, ${started.length} steps begun; ${then}`
  })
  return common(told, 'debt-found', [`${told.progress.target}: a debt was found`, ...lines])
}

/** The guard started a rollback, or calls a person. */
export function guardNotice(told: Told, event: 'guard-fired' | 'debt-found', words: string): Notice {
  return common(told, event, [
    `the guard of ${told.progress.target}: ${words}`,
    `stepback status ${told.progress.target}`,
  ])
}

/** `deploy of shop, 2.1.0`. */
function subject({ progress, version }: Told): string {
  const name = heading(progress, plain)
  return progress.kind === 'deploy' && version !== undefined ? `${name}, ${version},` : name
}

/** `asked for by ada: error rate up`. */
function asked({ request }: Told): string[] {
  const { requestedBy, reason } = textsOf(request)
  if (requestedBy === undefined && reason === undefined) return []
  return [
    `asked for${requestedBy === undefined ? '' : ` by ${requestedBy}`}${reason === undefined ? '' : `: ${reason}`}`,
  ]
}

function textsOf(request: unknown): { readonly requestedBy?: string; readonly reason?: string } {
  const { requestedBy, reason } = (request ?? {}) as { readonly requestedBy?: unknown; readonly reason?: unknown }
  return {
    ...(typeof requestedBy === 'string' ? { requestedBy: plain(requestedBy) } : {}),
    ...(typeof reason === 'string' ? { reason: plain(reason) } : {}),
  }
}

function common({ at, run, version, progress, request }: Told, event: NoticeEvent, lines: readonly string[]): Notice {
  const { target, kind, phase, startedAt, plan } = progress
  return {
    event,
    at,
    target: plain(target ?? ''),
    run,
    kind,
    text: lines.map(plain).join('\n'),
    ...(kind === 'guard' ? {} : { phase, startedAt }),
    ...(plan ? { digest: plan.digest } : {}),
    ...(plan?.restorePoint ? { restorePoint: plan.restorePoint } : {}),
    ...(version === undefined ? {} : { version }),
    ...textsOf(request),
  }
}

/** Where text of others ends up is not known here: one line, nothing that a terminal would obey, and not too long. */
function plain(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return line.length > 1_000 ? `${line.slice(0, 1_000)}…` : line
}
