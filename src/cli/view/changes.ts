// A run where nobody watches a terminal: one plain line for each change, so that a log reads like the plan.

import { describeMs } from '../../plan/duration.js'
import { stepDuration } from '../../plan/describe.js'
import type { HeardAnswer } from '../../plan/gate.js'
import type { Progress, StepProgress } from '../../plan/progress.js'
import { type Seen, renderGate, renderPlan, title } from './progress.js'
import { visible } from './visible.js'

/** The lines that lead from what was shown before to this; nothing was shown where `before` is missing. */
export function renderChanges(before: Progress | undefined, now: Progress, seen: Seen): string[] {
  const known = before?.plan?.digest === now.plan?.digest ? before : undefined
  return [
    ...(now.plan && !known?.plan ? [title(now), ...renderPlan(now).map((line) => `  ${line}`)] : []),
    ...now.steps.flatMap((step, index) => renderChange(known?.steps[index], step)),
    ...(before?.phase === now.phase ? [] : [`${now.phase}`]),
    ...(now.gate && before?.gate?.why !== now.gate.why ? renderGate(now, seen) : []),
    ...renderAnswers(before?.answers ?? [], now.answers ?? []),
  ]
}

/** Who said what, and why it did not count. */
function renderAnswers(before: readonly HeardAnswer[], now: readonly HeardAnswer[]): string[] {
  return now.slice(before.length).map(({ kind, by, comment, refused }) => {
    const said = comment === null ? '' : `: ${visible(comment)}`
    return `${kind} by ${visible(by ?? 'somebody')}${refused === null ? said : ` refused: ${visible(refused)}`}`
  })
}

function renderChange(before: StepProgress | undefined, step: StepProgress): string[] {
  const same = (before?.state ?? 'pending') === step.state && (before?.attempts ?? 0) === step.attempts
  if (same || step.state === 'pending') return []
  return [`${visible(step.title)}... ${outcome(step)}`]
}

function outcome(step: StepProgress): string {
  const attempt = step.attempts > 1 ? ` (attempt ${step.attempts})` : ''
  if (step.state === 'running') return `running${attempt}`
  const took = step.startedAt && step.finishedAt ? ` ${step.state === 'done' ? 'in' : 'after'} ${duration(step)}` : ''
  const detail = step.detail ? `: ${visible(step.detail)}` : ''
  return `${step.state}${took}${attempt}${detail}`
}

function duration(step: StepProgress): string {
  return stepDuration(step).startsWith('-') ? describeMs(0) : stepDuration(step)
}
