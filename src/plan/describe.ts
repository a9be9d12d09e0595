// A run as people read it: the same words in the Web UI, in the terminal and in the result.

import { describeMs } from './duration.js'
import { amountOf, placeOf } from './exposure.js'
import type { Exposure, StrategyVerdict } from './plan.js'
import { type OpenGate, type Progress, type StepProgress, type StepState, undoLine } from './progress.js'

const marks: Readonly<Record<StepState, string>> = {
  pending: '·',
  running: '▶',
  done: '✔',
  failed: '✘',
  skipped: '↷',
  undone: '↶',
  'undo-failed': '✘',
}

export function markOf(state: StepState): string {
  return marks[state]
}

/** The current details of a run in Temporal's Web UI, as Markdown. */
export function describeProgress(progress: Progress, runName: string): string {
  const undo = undoLine(progress)
  return [
    `**${heading(progress)}** · ${progress.phase}`,
    ...(undo === null ? [] : ['', `    ${undo}`]),
    ...(progress.gate ? ['', ...describeGate(progress, progress.gate, runName)] : []),
    ...(progress.plan ? ['', ...describePlan(progress)] : []),
    ...(progress.plan?.exposure ? ['', ...describeExposure(progress.plan.exposure)] : []),
    ...(progress.plan?.strategies ? ['', ...describeStrategies(progress.plan.strategies)] : []),
    '',
    ...stepTable(progress.steps),
    ...refusedAnswers(progress).map((line) => `\n${escape(line)}`),
  ].join('\n')
}

/** `rollback of aria (full) to 20261123T140211Z-2.0.0`. */
export function heading(progress: Progress, shown: (text: string) => string = escape): string {
  const scope = progress.scope ? ` (${progress.scope})` : ''
  const to = progress.plan?.restorePoint ? ` to ${progress.plan.restorePoint}` : ''
  return `${progress.kind} of ${shown(progress.target ?? 'an unknown target')}${scope}${to}`
}

/** How long a finished step took, or nothing. */
export function stepDuration(step: StepProgress): string {
  if (!step.startedAt || !step.finishedAt) return ''
  return describeMs(Date.parse(step.finishedAt) - Date.parse(step.startedAt))
}

function describeGate(progress: Progress, gate: OpenGate, runName: string): string[] {
  const needs = needsOf(gate)
  const text =
    gate.signs === undefined ? [] : ['', 'to be signed, with a blank and the name behind it:', '', `    ${gate.signs}`]
  return [
    `**waits for a person:** ${escape(gate.why)}`,
    ...(needs === null ? [] : ['', escape(needs)]),
    '',
    nextCommand(progress, runName),
    '',
    `or here, under More Actions, Send an Update, ${gate.asks}:`,
    '',
    `    ${inTheForm(progress, gate)}`,
    ...text,
  ]
}

/** `needs 2 approvals of ada, bob; approved by ada`; nothing where one of anybody is enough. */
export function needsOf({ needs, approvedBy = [] }: OpenGate): string | null {
  if (needs === undefined) return null
  return `needs ${needs}${approvedBy.length > 0 ? `; approved by ${approvedBy.join(', ')}` : ''}`
}

/** The newest answers that did not count. */
export function refusedAnswers({ answers = [] }: Progress): string[] {
  return answers
    .filter((it) => it.refused !== null)
    .slice(-3)
    .map(({ kind, by, refused }) => `refused: ${kind} by ${by ?? 'somebody'}: ${refused}`)
}

function describePlan(progress: Progress): string[] {
  const { plan } = progress
  if (!plan) return []
  const strategy = plan.strategy ? `strategy **${plan.strategy}**: ` : ''
  const notes = (plan.notes ?? []).flatMap((note) => ['', escape(note)])
  return [`${strategy}${escape(plan.because)}`, ...notes, '', `digest \`${plan.digest}\``]
}

function describeExposure(exposure: Exposure): string[] {
  if (exposure.tables.length === 0) return ['No rows would be lost.']
  return [
    `**${amountOf(exposure)} would be lost:**`,
    '',
    '| table | inserted | updated | deleted | newest | method |',
    '| --- | ---: | ---: | ---: | --- | --- |',
    ...exposure.tables.map(
      (it) =>
        `| ${escape(placeOf(it))} | ${it.inserted} | ${it.updated} | ${it.deleted} | ${it.newest ?? ''} | ${it.method} |`,
    ),
  ]
}

/** Strategy, verdict, why, how long its part takes, what it loses. */
export function strategyCells({ strategy, verdict, reason, estimateMs, exposure }: StrategyVerdict): string[] {
  if (verdict === 'impossible') return [strategy, verdict, reason, '', '']
  const time =
    estimateMs === null ? 'not measured yet' : estimateMs < 1_000 ? 'under 1 s' : `about ${describeMs(estimateMs)}`
  return [strategy, verdict, reason, time, exposure ? `loses ${amountOf(exposure)}` : 'loses what nobody counted']
}

function describeStrategies(strategies: readonly StrategyVerdict[]): string[] {
  const rows = strategies.map((it) => `| ${strategyCells(it).map(escape).join(' | ')} |`)
  return ['| strategy | | why | takes | |', '| --- | --- | --- | --- | --- |', ...rows]
}

function stepTable(steps: readonly StepProgress[]): string[] {
  if (steps.length === 0) return []
  return [
    '| | step | state | took | |',
    '| --- | --- | --- | ---: | --- |',
    ...steps.map(
      (step) =>
        `| ${markOf(step.state)} | ${escape(step.title)} | ${step.state} | ${stepDuration(step)} | ${escape(step.detail ?? '')} |`,
    ),
  ]
}

/** What a person types to answer the open gate. */
export function nextCommand(progress: Progress, runName: string): string {
  if (progress.gate?.asks === 'resolve') {
    return `    stepback resolve ${typed(runName)} --by YOU --action retry|skip|abort`
  }
  const digest = progress.plan ? ` --digest ${shortDigest(progress.plan.digest)}` : ''
  const key = progress.gate?.signs === undefined ? '' : ' --key YOUR.pem'
  return `    stepback approve ${typed(runName)} --by YOU${digest}${key}`
}

/** The same answer for the Web UI's own form. */
function inTheForm({ plan }: Progress, { asks, signs }: OpenGate): string {
  if (asks === 'resolve') return '{"by": "YOU", "action": "retry"}, or "skip", or "abort"'
  const answer = { by: 'YOU', ...(plan ? { digest: shortDigest(plan.digest) } : {}) }
  return JSON.stringify({ ...answer, ...(signs === undefined ? {} : { signature: 'YOURS' }) }).replaceAll(
    /([:,])"/g,
    '$1 "',
  )
}

/** What is enough of a digest to name a plan. */
export function shortDigest(digest: string): string {
  return digest.replace('sha256:', '').slice(0, 8)
}

/** A run's name as it may be copied into a shell: whoever starts a run chooses it. */
export function typed(runName: string): string {
  if (/^[\w.@:+-]+$/.test(runName)) return runName
  return `'${runName.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').replaceAll("'", `'\\''`)}'`
}

/** Text of others is shown, never interpreted: no Markdown, no markup, no control characters. */
export function escape(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').replaceAll(/[\\`*_[\]<>|#]/g, '\\$&')
}
