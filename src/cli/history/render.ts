import type { Verified } from '../../plan/anchors.js'
import { describeMs } from '../../plan/duration.js'
import { type PastRun, approversOf } from '../../plan/past-run.js'
import type { Colours } from '../io.js'
import { visible } from '../view/visible.js'

/** One run in a few lines: when, what, how it ended; who asked, why, who approved; why it failed. */
export function renderPast(past: PastRun, colours: Colours): string[] {
  const { at, run, ended, debts } = past
  const head = [seconds(at), visible(run), what(past), outcomeOf(past)].filter((it) => it !== '').join('  ')
  const details = [
    asked(past),
    ...past.answers.filter((it) => it.refused !== null).map((it) => `refused: ${it.kind} by ${it.by ?? 'somebody'}`),
    ...debts.map((it) => `the debt of ${it.run} was ${it.how}`),
    ended?.message?.split('\n')[0] ?? '',
    ...(ended?.left ?? []).map((it) => `left: ${it}`),
  ]
  return [colours.bold(head), ...details.filter((it) => it !== '').map((it) => `  ${visible(it)}`)]
}

export function renderVerified({ entries, anchors, newest, findings }: Verified): string[] {
  if (findings.length > 0) return findings.map(visible)
  const holds = `${entries} entries hold together`
  if (!newest) return [`${holds}; no history of a run is there to compare them with`]
  return [
    `${holds}; ${anchors} heads in histories agree, the newest is entry ${newest.number}, of ${visible(newest.run)}`,
  ]
}

export function outcomeOf(past: PastRun): string {
  const { ended, closedAs } = past
  if (ended) return `${ended.outcome} after ${describeMs(Date.parse(ended.at) - Date.parse(ended.startedAt))}`
  // A guard lasts for ever, and only what it did by itself is recorded.
  if (closedAs === undefined && past.asked === null) return ''
  return closedAs === undefined ? 'no end is recorded' : closedAs.toLowerCase()
}

function what({ plan }: PastRun): string {
  if (!plan) return ''
  return visible(plan.restorePoint ? `to ${plan.restorePoint}` : plan.version)
}

function asked(past: PastRun): string {
  const { requestedBy = null, reason = null } = past.asked ?? {}
  const approvers = approversOf(past)
  return [
    ...(requestedBy === null ? [] : [`asked for by ${requestedBy}`]),
    ...(approvers.length > 0 ? [`approved by ${approvers.join(', ')}`] : []),
    ...(reason === null ? [] : [reason]),
  ].join('; ')
}

function seconds(at: string): string {
  return at.replace(/\.\d+/, '')
}
