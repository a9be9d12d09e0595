// A run on a terminal, as text: the same steps under the same names as in the Web UI.

import type { Colours } from '../io.js'
import { markOf, needsOf, nextCommand, refusedAnswers, typed } from '../../plan/describe.js'
import { describeMs } from '../../plan/duration.js'
import type { Progress, StepProgress } from '../../plan/progress.js'
import { renderExposure } from './exposure.js'
import { renderStrategies } from './strategies.js'
import { visible } from './visible.js'

export interface Seen {
  readonly run: string
  readonly nowMs: number
  readonly colours: Colours
}

export function renderProgress(progress: Progress, seen: Seen): string {
  const { colours } = seen
  return [
    `${colours.bold(title(progress))} ${colours.dim('·')} ${phase(progress, colours)}`,
    ...renderPlan(progress).map((line) => colours.dim(`  ${line}`)),
    ...progress.steps.map((step) => `  ${renderStep(step, seen)}`),
    ...renderGate(progress, seen),
    ...refusedAnswers(progress).map((line) => colours.yellow(`  ${visible(line)}`)),
  ].join('\n')
}

/** `rollback of aria (full) to 20261123T140211Z-2.0.0`. */
export function title(progress: Progress): string {
  const scope = progress.scope ? ` (${progress.scope})` : ''
  const to = progress.plan?.restorePoint ? ` to ${progress.plan.restorePoint}` : ''
  return visible(`${progress.kind} of ${progress.target ?? 'an unknown target'}${scope}${to}`)
}

/** How it goes back, why, and under which digest it is approved. */
export function renderPlan({ plan }: Progress): string[] {
  if (!plan) return []
  const strategy = plan.strategy ? `${plan.strategy}: ` : ''
  return [visible(`${strategy}${plan.because}`), ...(plan.notes ?? []).map(visible), `digest ${visible(plan.digest)}`]
}

/** The open question, what it is about, and what to type. */
export function renderGate(progress: Progress, { run, colours }: Pick<Seen, 'run' | 'colours'>): string[] {
  const { gate, plan } = progress
  if (!gate) return []
  const until = gate.until ? `, until ${visible(gate.until)}` : ''
  return [
    `  ${colours.yellow(`⏸ ${visible(gate.why)}`)}${colours.dim(until)}`,
    ...[needsOf(gate)].flatMap((needs) => (needs === null ? [] : [`    ${visible(needs)}`])),
    ...(plan?.exposure ? renderExposure(plan.exposure).map((line) => `    ${line}`) : []),
    ...(plan?.strategies ? renderStrategies(plan.strategies).map((line) => `    ${line}`) : []),
    nextCommand(progress, run),
    ...(gate.asks === 'approve' ? [`    stepback reject ${typed(run)} --by YOU`] : []),
  ]
}

function phase(progress: Progress, colours: Colours): string {
  if (progress.phase === 'done') return colours.green(progress.phase)
  const bad = ['undoing', 'undone', 'not-undone', 'refused', 'rejected', 'cancelled', 'fenced'].includes(progress.phase)
  return bad ? colours.red(progress.phase) : colours.cyan(progress.phase)
}

function renderStep(step: StepProgress, seen: Seen): string {
  const { colours } = seen
  const notes = [
    took(step, seen.nowMs),
    step.attempts > 1 ? `attempt ${step.attempts}` : '',
    visible(step.detail ?? ''),
  ].filter((note) => note !== '')
  const text = `${markOf(step.state)} ${visible(step.title)}`
  return notes.length > 0
    ? `${paint(step, colours)(text)}  ${colours.dim(notes.join(', '))}`
    : paint(step, colours)(text)
}

/** A running step's time is by this machine's clock, which may be behind the worker's. */
function took(step: StepProgress, nowMs: number): string {
  if (!step.startedAt) return ''
  const end = step.finishedAt && step.state !== 'running' ? Date.parse(step.finishedAt) : nowMs
  return describeMs(Math.max(0, end - Date.parse(step.startedAt)))
}

function paint(step: StepProgress, colours: Colours): (text: string) => string {
  if (step.state === 'done') return colours.green
  if (step.state === 'failed' || step.state === 'undo-failed') return colours.red
  if (step.state === 'running') return colours.cyan
  if (step.state === 'pending') return colours.dim
  return colours.yellow
}
