import type { Colours } from '../io.js'
import { visible } from '../view/visible.js'
import type { Situation } from './situation.js'

/** A target's situation in a few lines; what is in order takes one line each. */
export function renderSituation(situation: Situation, colours: Colours): string[] {
  const rows: (readonly [string, readonly string[]])[] = [
    ['health', health(situation)],
    ['lease', [lease(situation)]],
    ['restore points', restorePoints(situation)],
    [
      'debts',
      situation.debts.map((it) => `${it.workflowId}, ${it.startedSteps} steps begun${it.ask ? `: ${it.ask}` : ''}`),
    ],
    ['open runs', openRuns(situation)],
    ['unknown', situation.unknown.map((it) => it.replace(/\nhint: /, '; '))],
  ]
  return [
    `${colours.bold(visible(situation.target))}  ${visible(release(situation))}`,
    ...rows.flatMap(([name, lines]) =>
      lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(16)}${visible(line)}`),
    ),
  ]
}

function release({ release: recorded, answers }: Situation): string {
  const says = answers === null ? 'no version answers' : `${answers} answers`
  if (!recorded) return `${says}; no release is recorded yet`
  const known = `${recorded.version} since ${recorded.since}`
  return recorded.version === answers ? known : `${known}; ${says}`
}

function health({ health: reports }: Situation): string[] {
  const sick = reports.filter((it) => !it.healthy)
  if (sick.length > 0) return sick.map((it) => `${it.check}: ${it.detail}`)
  return reports.length > 0 ? [`ok: ${reports.map((it) => it.check).join(', ')}`] : []
}

function lease({ lease: held }: Situation): string {
  if (!held) return 'free'
  const since = held.takenAt ? ` since ${held.takenAt}` : ''
  return `${held.kind} ${held.workflowId}${since}${held.closed ? ', which has ended: the next run takes it over' : ''}`
}

function restorePoints({ restorePoints: all }: Situation): string[] {
  const shown = all.slice(0, 5).map((it) => `${it.id} ${it.state}`)
  return all.length > shown.length
    ? [...shown, `and ${all.length - shown.length} older`]
    : shown.length > 0
      ? shown
      : ['none']
}

function openRuns({ openRuns: runs }: Situation): string[] {
  if (runs === null) return ['unknown: Temporal does not answer']
  return runs.flatMap(({ run, phase, gate }) => [
    `${run} ${phase ?? '(no worker answers)'}${gate ? `: ${gate.why}` : ''}`,
    ...(gate ? [`answer it: stepback watch ${run}`] : []),
  ])
}
