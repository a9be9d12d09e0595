// The note of an incident, where people look for one: what was gone back from, why, how bad it was, and what came of it.

import type { Asked, AuditedPlan, Ended } from './audit.js'
import { escape, markOf, typed } from './describe.js'
import { describeMs } from './duration.js'
import { amountOf } from './exposure.js'
import type { HeardAnswer } from './gate.js'
import { type RunId, runDigits } from './ledger.js'
import type { Plan } from './plan.js'
import { undoOfEnded } from './undo.js'

/** What a run knows at its end, beside what it writes into the audit record. */
export interface Circumstances {
  readonly plan: AuditedPlan | null
  readonly answers: readonly HeardAnswer[]
}

export interface Incident extends Circumstances {
  readonly target: string
  readonly run: RunId
  readonly kind: Asked['kind'] | Plan['kind']
  readonly asked: Asked | null
  readonly outcome: string
  /** The run that settled what this one had left when it never came to its end. */
  readonly settledBy?: string
  /** When it ended, or when what it had left was settled. */
  readonly at: string
  /** Null where nobody knows it. */
  readonly ended: Ended | null
}

/** Where the note lies inside the project directory, and why something for people could not be written. */
export interface Noted {
  readonly file?: string
  readonly problem?: string
}

/** A line in the deploy log. What was refused never began: bad input changes nothing at all. */
export function isLogged({ outcome }: Pick<Incident, 'outcome'>): boolean {
  return outcome !== 'refused'
}

/** Whoever goes back has a reason; a deploy is one where it had to. */
export function isIncident(incident: Pick<Incident, 'kind' | 'outcome' | 'settledBy'>): boolean {
  const { kind, outcome, settledBy } = incident
  if (!isLogged(incident)) return false
  if (kind === 'deploy') return settledBy !== undefined || outcome === 'undone' || outcome === 'not-undone'
  return !['backup', 'guard', 'adoption', 'rehearsal'].includes(kind)
}

/** The same for every attempt to write it, and another for every run: `incident_20261123T141530Z_rollback_3fa94c21.md`. */
export function incidentName({ run, kind, at }: Pick<Incident, 'run' | 'kind' | 'at'>): string {
  const time = at.replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
  return `incident_${time}_${kind}_${runDigits(run)}.md`
}

/** `rollback full 2.0.0: done`. */
export function incidentLine(incident: Pick<Incident, 'kind' | 'asked' | 'plan' | 'outcome' | 'settledBy'>): string {
  const { kind, plan } = incident
  return `${[kind, scopeOf(incident), plan?.version].filter((it) => it !== undefined).join(' ')}: ${outcomeOf(incident)}`
}

/** Markdown; what people and hosts wrote is shown in it, and interpreted by nobody. */
export function incidentNote(incident: Incident): string {
  const { asked, plan, ended } = incident
  const facts = [
    ['outcome', outcomeOf(incident)],
    ['message', ended?.message],
    ['severity', asked?.severity ?? 'not said'],
    ['why', asked?.reason ?? 'not said'],
    ['asked for by', asked?.requestedBy ?? 'nobody who gave a name'],
    ['approved by', approvedBy(incident)],
    ['scope', scopeOf(incident)],
    ['destination', plan?.restorePoint],
    ['version', plan?.version],
    ['because', plan?.because],
    ['strategy', plan?.strategy],
    ['could lose', plan?.exposure && plan.exposure.total > 0 ? amountOf(plan.exposure) : null],
    ['began', ended?.startedAt],
    ['ended', ended && `${incident.at}, after ${describeMs(Date.parse(incident.at) - Date.parse(ended.startedAt))}`],
    ['run', `${incident.run.workflowId} (${incident.run.runId})`],
  ] as const
  return [
    `# ${titleOf(incident)}`,
    '',
    ...facts.flatMap(([name, value]) => (value ? [`- ${name}: ${shown(value)}`] : [])),
    ...section('Steps', ended?.steps.map(stepLine) ?? []),
    ...section(
      'Health afterwards',
      ended?.health.map((it) => `${it.healthy ? '✔' : '✘'} ${shown(it.check)}: ${shown(it.detail)}`) ?? [],
    ),
    ...section('Left on the host', ended?.left.map(shown) ?? []),
    '',
    ...undoOf(incident),
    `All of it: \`stepback report ${typed(incident.run.workflowId).replaceAll('`', '')}\`.`,
    '',
  ].join('\n')
}

function undoOf({ target, ended, plan, outcome }: Incident): string[] {
  const command = undoOfEnded(target, ended, plan?.undo)
  return command === null ? [] : [`${outcome === 'done' ? 'Undo it' : 'Back to what was before it'}: \`${command}\`.`]
}

function titleOf(incident: Incident): string {
  const { kind, target } = incident
  return `${kind[0]!.toUpperCase()}${kind.slice(1)} of ${escape(target)}: ${shown(outcomeOf(incident))}`
}

function scopeOf({ plan, asked }: Pick<Incident, 'plan' | 'asked'>): string | undefined {
  return plan ? plan.scope : asked?.scope
}

function outcomeOf({ outcome, settledBy }: Pick<Incident, 'outcome' | 'settledBy'>): string {
  return settledBy === undefined ? outcome : `ended without an end; ${outcome} by ${settledBy}`
}

function approvedBy({ answers }: Incident): string {
  return answers
    .flatMap(({ kind, by, refused }) => (kind === 'approve' && refused === null ? (by ?? []) : []))
    .join(', ')
}

function stepLine({ state, title, detail }: Ended['steps'][number]): string {
  return `${markOf(state)} ${shown(title)} (${state})${detail ? `: ${shown(detail)}` : ''}`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? ['', `## ${title}`, '', ...lines.map((line) => `- ${line}`)] : []
}

function shown(text: string): string {
  const line = escape(text).trim()
  return line.length > 2_000 ? `${line.slice(0, 2_000)}…` : line
}
