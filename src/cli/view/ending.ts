// The last words of a run: what came of it, and what can be typed next.

import type { Outcome } from '../../client.js'
import { describeMs } from '../../plan/duration.js'
import { type Progress, type RunResult, undoLine } from '../../plan/progress.js'
import { visible, visibleLines } from './visible.js'

export function renderEnding(outcome: Outcome, run: string, dryRun: boolean): string[] {
  if (outcome.outcome === 'done') return dryRun ? ['dry run: nothing was changed'] : renderDone(outcome.result)
  const target = outcome.result?.target
  return [
    saying(words[outcome.outcome] ?? outcome.outcome, visibleLines(outcome.message)),
    ...(outcome.result?.left ?? []).map((left) => `  left: ${visible(left)}`),
    ...renderNote(outcome.result),
    `next: ${nextAfter(outcome, run, target ? visible(target) : '')}`,
  ]
}

/** A run that is left while it waits or works: it goes on. */
export function renderLeft(progress: Progress | undefined, run: string): string[] {
  const phase = progress ? visible(progress.phase) : 'on its way'
  return [`left while ${phase}; the run goes on`, `next: stepback watch ${run}`]
}

const words: Readonly<Record<string, string>> = {
  Undone: 'failed and undone',
  NotUndone: 'failed and NOT undone',
  Refused: 'refused',
  Rejected: 'rejected',
  ApprovalTimeout: 'not approved',
  Fenced: 'fenced',
  InvalidRequest: 'invalid request',
  UnknownTarget: 'unknown target',
  InvalidConfiguration: 'invalid configuration',
  Cancelled: 'cancelled',
  Terminated: 'terminated',
  TimedOut: 'timed out',
  Unknown: 'failed',
}

/** `rejected by ada`, and not `rejected: rejected by ada`. */
function saying(word: string, message: string): string {
  return message.startsWith(word) ? message : `${word}: ${message}`
}

function renderDone(result: RunResult): string[] {
  const sick = result.health.filter((it) => !it.healthy).map((it) => `${visible(it.check)}: ${visible(it.detail)}`)
  return [
    result.already ? 'done: nothing had to be done' : `done in ${describeMs(result.durationMs)}`,
    ...result.steps.flatMap((it) =>
      it.state === 'failed' ? [`failed beside it: ${visible(it.title)}: ${visibleLines(it.detail ?? '')}`] : [],
    ),
    ...(sick.length > 0 ? [`not healthy: ${sick.join('; ')}`] : []),
    ...renderNote(result),
    visible(undoLine(result) ?? `next: stepback status ${result.target}`),
  ]
}

function renderNote(result: RunResult | undefined): string[] {
  const { file, problem } = result?.note ?? {}
  return [
    ...(file === undefined ? [] : [`noted in ${visible(file)}`]),
    ...(problem === undefined ? [] : [`could not be noted: ${visible(problem)}`]),
  ]
}

function nextAfter(outcome: Exclude<Outcome, { outcome: 'done' }>, run: string, target: string): string {
  switch (outcome.outcome) {
    case 'Refused':
    case 'InvalidConfiguration':
      return `stepback doctor ${target}`.trimEnd()
    case 'InvalidRequest':
      return 'stepback --help'
    case 'UnknownTarget':
      return 'stepback status'
    case 'NotUndone':
      return `stepback status ${target}; then stepback rollback ${target}`
    case 'Undone':
    case 'Unknown':
      return `stepback watch ${run} shows its steps`
    default:
      return `stepback status ${target}`.trimEnd()
  }
}
