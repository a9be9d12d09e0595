import { guardLines } from '../../plan/describe-guard.js'
import type { Colours } from '../io.js'
import { visible } from '../view/visible.js'
import type { Part, Situation } from './situation.js'

/** A target's situation in a few lines; what is in order takes one line each. */
export function renderSituation(situation: Situation, colours: Colours): string[] {
  const rows: (readonly [Part, string, readonly string[]])[] = [
    ['ledger', 'stopped', stopped(situation)],
    ['health', 'health', health(situation)],
    ['lease', 'lease', [lease(situation)]],
    ['restore points', 'restore points', restorePoints(situation)],
    ['ledger', 'debts', debts(situation)],
    ['reserve', 'reserve', reserve(situation)],
  ]
  const known = rows.filter(([part]) => isKnown(situation, part)).map(([, name, lines]) => [name, lines] as const)
  const others = [
    ['guard', situation.guard ? guardLines(situation.guard) : []],
    ['open runs', openRuns(situation)],
    ['unknown', situation.unknown.map(({ part, why }) => `${part}: ${why.replace(/\nhint: /, '; ')}`)],
  ] as const
  return [
    `${colours.bold(visible(situation.target))}  ${visible(release(situation))}`,
    ...[...known, ...others].flatMap(([name, lines]) => renderRow(name, lines)),
  ]
}

function renderRow(name: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(16)}${visible(line)}`)
}

/** Behind a connection that failed nothing at all is known. */
function isKnown({ unknown }: Situation, part: Part): boolean {
  return !unknown.some((it) => it.part === part || it.part === 'target')
}

function release(situation: Situation): string {
  const { release: recorded, answers } = situation
  if (!isKnown(situation, 'ledger')) return 'release unknown'
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

function stopped({ target, stopped: stop }: Situation): string[] {
  if (!stop) return []
  const what = stop.ran.join(', ') || 'the application'
  return [`on purpose by ${stop.by} since ${stop.since}: ${what}; start it: stepback emergency ${target} start`]
}

/** One that is there is no news. */
function reserve({ reserve: kept }: Situation): string[] {
  return kept === 'missing' ? ['missing: no emergency could act on a disk without a byte left'] : []
}

function debts({ debts: open }: Situation): string[] {
  return open.map((it) => `${it.workflowId}, ${it.startedSteps} steps begun${it.ask ? `: ${it.ask}` : ''}`)
}

function lease({ lease: held }: Situation): string {
  if (!held) return 'free'
  const since = held.takenAt ? ` since ${held.takenAt}` : ''
  return `${held.kind} ${held.workflowId}${since}${held.closed ? ', which has ended: the next run takes it over' : ''}`
}

function restorePoints({ restorePoints: all, unreadable }: Situation): string[] {
  return [...newest(all), ...unreadable.map((it) => `${it.id} unreadable: ${it.why}`)]
}

function newest(all: Situation['restorePoints']): string[] {
  const shown = all.slice(0, 5).map((it) => `${it.id} ${it.state}${it.doubt === undefined ? '' : `: ${it.doubt}`}`)
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
