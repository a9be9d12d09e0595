// The application does not answer: it is stopped, what an operator would ask first is asked, and what the logs say is kept.

import type { SeenService } from '../act.js'
import type { Container } from '../facts.js'
import { restorePointId, stopInForce } from '../ledger.js'
import type { EmergencyRequest } from '../request.js'
import { sideBySide } from '../steps/beside.js'
import { askDatabase, giveVerdict, listContainers } from '../steps/emergency.js'
import { keepLines } from '../steps/health.js'
import { list } from '../steps/list.js'
import type { Decision, EmergencyFacts } from './facts.js'
import { ensureThere, fence, stopSteps } from './stop.js'

export function planUnresponsive(request: EmergencyRequest, facts: EmergencyFacts): Decision {
  ensureThere(request, facts)
  const { stack, settings } = facts
  const { databaseService: database } = stack
  const seen = facts.containers.map(seenService)
  const stop = stopInForce(facts.records)
  const [record, stopNow] = stopSteps(facts)
  const services = stack.logService === undefined ? stack.application : [stack.logService]
  // Not under the id of a restore point: without a manifest a prune would take it for a leftover.
  const file = `logs_unresponsive_${restorePointId({ at: facts.at, version: '' }).slice(0, -1)}.txt`
  return {
    because: [
      `before it: ${describeSeen(seen.filter((it) => stack.application.includes(it.service)))}`,
      ...(stop ? [`${stop.by} stopped it on purpose`] : []),
    ].join('; '),
    steps: [
      ...sideBySide([listContainers(), record]),
      stopNow,
      ...sideBySide([
        ...(database === null ? [] : [askDatabase({ service: database })]),
        keepLines({ lines: settings.logLines, services, file }),
        giveVerdict({ seen, database, ...(stop ? { stoppedBy: stop.by } : {}) }),
      ]),
      ...fence(facts),
    ],
  }
}

/** `api running (unhealthy), web restarting`. */
export function describeSeen(seen: readonly SeenService[]): string {
  return seen
    .map(({ service, state, health }) => `${service} ${state}${health === null ? '' : ` (${health})`}`)
    .join(', ')
}

export function seenService({ service, state, running, health }: Container): SeenService {
  return { service, state: state ?? (running ? 'running' : 'stopped'), health: running ? health : null }
}

export interface Found {
  readonly target: string
  readonly application: readonly string[]
  readonly seen: readonly SeenService[]
  /** What the database's own program said; null for a target without one. */
  readonly database: { readonly accepts: boolean; readonly detail: string } | null
  /** Bytes where backups lie; NaN where nobody can tell. */
  readonly freeBytes: number
  readonly neededBytes: number
  /** The emergency stop that was in force before anybody looked. */
  readonly stoppedBy?: string | undefined
}

/** What is most likely the matter, and what to type next; of several causes the one that the others follow from. */
export function verdictOf(found: Found): string {
  const { target, application, seen, database, freeBytes, neededBytes, stoppedBy } = found
  const own = seen.filter((it) => application.includes(it.service))
  const missing = application.filter((service) => !own.some((it) => it.service === service))
  const down = own.filter((it) => it.state !== 'running').map((it) => it.service)
  const sick = own.filter((it) => it.state === 'running' && it.health === 'unhealthy').map((it) => it.service)
  const start = `then: stepback emergency ${target} start`
  if (freeBytes < Math.min(neededBytes, nearlyFull))
    return `the disk is full, ${Math.floor(freeBytes / 1e6)} MB are free: stepback emergency ${target} disk-full; ${start}`
  if (database && !database.accepts) return `the database is the matter: it ${database.detail}; mend it, ${start}`
  const well = database ? `, the database ${database.detail}` : ''
  if (stoppedBy !== undefined && down.length > 0 && missing.length + sick.length === 0)
    return `${list(down)} ${down.length > 1 ? 'were' : 'was'} stopped on purpose by ${stoppedBy}${well}: ${start.slice(6)}`
  if (down.length > 0 || missing.length > 0)
    return `${list([...down, ...missing])} did not run${well}: read the kept lines; stepback rollback ${target}, or ${start.slice(6)}`
  if (sick.length > 0)
    return `${list(sick)} ran and ${sick.length > 1 ? 'were' : 'was'} unhealthy${well}: read the kept lines; stepback rollback ${target}, or ${start.slice(6)}`
  return `every container ran${well}: the application itself hung; read the kept lines; ${start}`
}

/** Below it nothing works as it should any more. */
const nearlyFull = 200_000_000
