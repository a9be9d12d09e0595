// What people find on the host of a run: a line in the deploy log, and a note where it was an incident.

import { Context } from '@temporalio/activity'
import type { Host } from '../adapters/host.js'
import { type ForPeople, tellPeople } from '../commands/tidy.js'
import type { Target } from '../config/schema.js'
import { type Asked, type Ended, auditedPlan } from '../plan/audit.js'
import { masked } from '../plan/credentials.js'
import {
  type Circumstances,
  type Incident,
  type Noted,
  incidentLine,
  incidentName,
  incidentNote,
  isIncident,
  isLogged,
} from '../plan/incident.js'
import type { RunId } from '../plan/ledger.js'
import { pastRuns } from '../plan/past-run.js'
import type { Plan } from '../plan/plan.js'
import { ownRun, said } from './context.js'
import { messageOf } from './to-failure.js'

/** The end of a run; of one of an earlier version, and of a guard's, nothing is known but how it ended. */
export function endOf(
  target: Target,
  input: { readonly outcome: string; readonly ended?: Ended; readonly circumstances?: Circumstances },
): Incident {
  const { outcome, ended = null, circumstances = { plan: null, answers: [] } } = input
  const asked = ended?.asked ?? null
  const kind = Context.current().info.workflowType?.replace(/Workflow$/, '') as Incident['kind']
  return { target: target.name, run: ownRun(), kind, asked, outcome, at: now(), ended, ...circumstances }
}

/** What was left by a run that never came to its end. Who asked for it and why is in the audit record, if anywhere. */
export async function settlementOf(
  host: Host,
  input: { readonly target: Target; readonly run: RunId; readonly how: 'undone' | 'accepted'; readonly plan: Plan },
): Promise<Incident> {
  const { target, run, how, plan } = input
  return {
    target: target.name,
    run,
    kind: plan.kind,
    asked: await askedFor(host, run),
    plan: auditedPlan(plan),
    answers: [],
    outcome: how,
    settledBy: ownRun().workflowId,
    at: now(),
    ended: null,
  }
}

/** Nothing where neither is asked for by the configuration, nor meant for such a run. */
export function forPeople(target: Target, incident: Incident): ForPeople | undefined {
  const { directory, deployLog, incidents } = target
  const logs = deployLog !== undefined && isLogged(incident)
  const notes = incidents !== undefined && isIncident(incident)
  if (!logs && !notes) return undefined
  const told = masked(incident)
  const line = `${told.at} ${told.run.workflowId} ${incidentLine(told)}`
  return {
    directory,
    ...(logs ? { log: { path: deployLog, line } } : {}),
    ...(notes ? { note: { path: `${incidents}/${incidentName(told)}`, text: incidentNote(told) } } : {}),
  }
}

/** What came of it. */
export function notedIn(
  people: ForPeople | undefined,
  { exitCode, stdout, stderr }: { readonly exitCode: number; readonly stdout: string; readonly stderr: string },
): Noted | undefined {
  if (!people) return undefined
  const file = people.note && stdout.split('\n').includes('noted') ? { file: people.note.path } : {}
  const problem = exitCode === 0 ? {} : { problem: said(stderr).replace(/^: /, '') || `exit status ${exitCode}` }
  const noted = { ...file, ...problem }
  return Object.keys(noted).length > 0 ? noted : undefined
}

/**
 * A run that was told no holds no lease, and changed nothing; where the configuration is what is wrong, nothing is made
 * in a directory that may be another's. That this cannot be written must not hide why it was told no.
 */
export async function noteWithoutLease(
  host: Host,
  target: Target,
  { ended, circumstances }: { readonly ended: Ended; readonly circumstances: Circumstances },
): Promise<Noted | undefined> {
  const people = forPeople(target, endOf(target, { outcome: ended.outcome, ended, circumstances }))
  if (!people) return undefined
  try {
    return notedIn(people, await host.writeUnleased(tellPeople(people, 'look')))
  } catch (error) {
    return { problem: messageOf(error) }
  }
}

async function askedFor(host: Host, run: RunId): Promise<Asked | null> {
  try {
    return pastRuns((await host.readAudit()).records).find((it) => it.runId === run.runId)?.asked ?? null
  } catch {
    return null
  }
}

/** The same for every attempt, so that a second one finds the line and the note of the first. */
function now(): string {
  return new Date(Context.current().info.scheduledTimestampMs).toISOString().replace(/\.\d+/, '')
}
