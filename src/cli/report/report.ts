// All that a report says of a run, from its history, or from the audit record where no history is left.

import type { RunHistory, Work } from '../../client/run-history.js'
import { stepDuration } from '../../plan/describe.js'
import type { PastRun } from '../../plan/past-run.js'
import type { HealthReport, StepProgress } from '../../plan/progress.js'
import { undoOfEnded } from '../../plan/undo.js'
import { fromHistory } from '../history/from-history.js'

export interface Bar {
  readonly label: string
  readonly kind: 'step' | 'undo' | 'gate' | 'around'
  readonly startMs: number
  readonly endMs: number
  /** When the last attempt began: what lies before it went into others. */
  readonly lastMs: number
  readonly attempts: number
  readonly outcome: 'done' | 'failed' | 'cancelled' | 'waited' | 'running'
  readonly note: string
}

export interface Report {
  readonly past: PastRun
  readonly target: string
  readonly bars: readonly Bar[]
  /** Where all of this comes from. */
  readonly source: 'history' | 'audit record'
  /** Of the record, when the run had written its end. */
  readonly head: string | null
}

export function reportOfHistory(history: RunHistory): Report {
  const past = fromHistory(history)
  const audit = history.result?.audit
  const untilMs = Date.parse(history.closedAt ?? new Date().toISOString())
  const bars = history.work.filter((it) => !beside.includes(it.name)).map((it) => barOfWork(it, untilMs))
  return {
    past,
    target: history.target ?? '',
    bars: inOrder([...bars, ...gatesOf(past)]),
    source: 'history',
    head: audit && 'sha256' in audit ? `${audit.number} ${audit.sha256}` : null,
  }
}

/** The record has the times of steps and gates, and not of every attempt. */
export function reportOfRecord(target: string, past: PastRun): Report {
  const steps = past.ended?.steps.flatMap(barOfStep) ?? []
  return { past, target, bars: inOrder([...steps, ...gatesOf(past)]), source: 'audit record', head: null }
}

/** What goes on while a person is waited for, or only writes that down. */
const beside = ['keepLease', 'recordAudit', 'checkSignature']
const around = ['plan', 'runChecks', 'acquireLease', 'recordPlan', 'closeDebt', 'observeEnd', 'finishRun']

function barOfWork(work: Work, untilMs: number): Bar {
  const startMs = Date.parse(work.startedAt)
  const endMs = work.endedAt ? Date.parse(work.endedAt) : untilMs
  return {
    label: work.title,
    kind: around.includes(work.name) ? 'around' : work.title.startsWith('undo: ') ? 'undo' : 'step',
    startMs,
    endMs,
    lastMs: work.attempts > 1 && work.lastAttemptAt ? Date.parse(work.lastAttemptAt) : startMs,
    attempts: work.attempts,
    outcome: work.outcome ?? 'running',
    note: work.failure?.split('\n')[0] ?? '',
  }
}

function barOfStep(step: StepProgress): Bar[] {
  if (!step.startedAt || !step.finishedAt) return []
  const startMs = Date.parse(step.startedAt)
  const outcome = ['failed', 'undo-failed'].includes(step.state) ? 'failed' : 'done'
  const { title: label, attempts, detail } = step
  const endMs = Date.parse(step.finishedAt)
  return [{ label, kind: 'step', startMs, endMs, lastMs: startMs, attempts, outcome, note: detail ?? '' }]
}

function gatesOf({ ended }: PastRun): Bar[] {
  return (ended?.gates ?? []).map(({ asks, why, openedAt, closedAt }) => ({
    label: asks === 'approve' ? 'gate: waits for an approval' : 'gate: waits for an operator',
    kind: 'gate',
    startMs: Date.parse(openedAt),
    endMs: Date.parse(closedAt),
    lastMs: Date.parse(openedAt),
    attempts: 1,
    outcome: 'waited',
    note: why.split('\n')[0]!,
  }))
}

function inOrder(bars: readonly Bar[]): Bar[] {
  return bars.toSorted((one, other) => one.startMs - other.startMs)
}

/** Sections that Markdown and HTML share: rows of cells under a heading. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function tablesOf({ past }: Report): Table[] {
  const { plan, ended, answers } = past
  const steps = ended?.steps ?? []
  const undo = (index: number) => plan?.steps[index]?.undo.join('; ') ?? ''
  const tables: Table[] = [
    {
      title: 'Steps',
      head: ['step', 'state', 'took', 'attempts', '', 'undo'],
      rows: steps.map((it, index) => [
        it.title,
        it.state,
        stepDuration(it),
        String(it.attempts),
        it.detail ?? '',
        undo(index),
      ]),
    },
    {
      title: 'What would be lost',
      head: ['table', 'inserted', 'updated', 'deleted', 'newest', 'method'],
      rows: (plan?.exposure?.tables ?? []).map((it) => [
        it.column ? `${it.table}.${it.column}` : it.table,
        String(it.inserted),
        String(it.updated),
        String(it.deleted),
        it.newest ?? '',
        it.method,
      ]),
    },
    {
      title: 'What changes besides',
      head: ['note'],
      rows: (plan?.notes ?? []).map((note) => [note]),
    },
    {
      title: 'Answers at gates',
      head: ['when', 'who', 'what', 'comment', ''],
      rows: answers.map((it) => [
        it.at,
        `${it.by ?? 'nobody'}${it.signed ? ', signed' : ''}`,
        it.action ? `${it.kind}: ${it.action}` : it.kind,
        it.comment ?? '',
        it.refused === null ? 'counted' : `refused: ${it.refused}`,
      ]),
    },
    {
      title: 'Before',
      head: ['what', 'then'],
      rows: plan
        ? [
            ['version', plan.before.version ?? 'unknown'],
            ['migration', plan.before.head ?? 'none'],
          ]
        : [],
    },
    { title: 'Health', head: ['check', 'before', 'afterwards'], rows: healthRows(ended) },
    { title: 'Left on the host', head: ['what'], rows: (ended?.left ?? []).map((it) => [it]) },
  ]
  return tables.filter(({ rows }) => rows.length > 0)
}

function healthRows(ended: PastRun['ended']): string[][] {
  const { before = [], health = [] } = ended ?? {}
  const said = (reports: readonly HealthReport[], check: string) => {
    const report = reports.find((it) => it.check === check)
    return report ? `${report.healthy ? 'healthy' : 'NOT healthy'}: ${report.detail}` : 'not asked'
  }
  const checks = new Set([...before, ...health].map((it) => it.check))
  return [...checks].map((check) => [check, said(before, check), said(health, check)])
}

/** `key, value` of what stands at the top. */
export function factsOf({ past, target, head, source }: Report): (readonly [string, string])[] {
  const { asked, plan, ended, run, runId } = past
  const all: (readonly [string, string | null | undefined])[] = [
    ['target', target],
    ['run', `${run} (${runId})`],
    ['asked for by', asked?.requestedBy],
    ['why', asked?.reason],
    ['severity', asked?.severity],
    ['began', past.at],
    ['ended', ended?.at],
    ['because', plan?.because],
    ['strategy', plan?.strategy],
    ['goes to', plan?.restorePoint],
    ['version afterwards', plan?.version],
    ['plan', plan?.digest],
    ['undone by', undoOfEnded(target, ended, plan?.undo)],
    ['entry of the audit record', head],
    ['read from', source],
  ]
  return all.flatMap(([key, value]) => (value ? [[key, value] as const] : []))
}
