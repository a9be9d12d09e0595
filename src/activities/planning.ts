// The planner runs in an activity, so its result is in history: it may change without breaking a run under way.

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  parseBackupRequest,
  parseDeployRequest,
  parseEmergencyRequest,
  parseRollbackRequest,
} from '../config/request.js'
import { listShelf } from '../commands/prune.js'
import { planBackup } from '../plan/backup.js'
import { planConfiguration } from '../plan/configuration.js'
import { planContainers } from '../plan/containers.js'
import { planDeploy } from '../plan/deploy.js'
import { planEmergency } from '../plan/emergency.js'
import type { Facts } from '../plan/facts.js'
import { StepbackError } from '../plan/failure.js'
import { allHealthy } from '../plan/health.js'
import type { Subscriptions } from '../plan/notice.js'
import { type Plan, type RunKind, digestText } from '../plan/plan.js'
import type { HealthReport } from '../plan/progress.js'
import type { RollbackRequest } from '../plan/request.js'
import { chooseDestination } from '../plan/destination.js'
import { planRevert, planRollback } from '../plan/rollback.js'
import { beating } from './act.js'
import type { Deps } from './deps.js'
import { askChecks, askedOften, readVersion } from './health.js'
import { subscriptionsOf } from './notices.js'
import { together } from './together.js'
import { planMigrations } from '../plan/revision.js'
import { observeAhead } from './observe/ahead.js'
import { observeDowns } from './observe/database.js'
import { observeCandidate, observeHeld } from './observe/candidate.js'
import { observeConfiguration } from './observe/configuration.js'
import { observeEmergency } from './observe/emergency.js'
import { observe } from './observe/facts.js'
import { type Glance, freeLease, glance } from './observe/glance.js'
import { Look } from './observe/look.js'
import { observeRecorded } from './observe/recorded.js'
import { observeRelease } from './observe/release.js'
import { hashWith } from './observe/resulting.js'

export interface Planned {
  readonly plan: Plan
  /** Whether the server knows the search attributes. */
  readonly searchable: boolean
  /** Who is told of what; missing where nobody is. */
  readonly notifies?: Subscriptions
  /** The activities write an audit record; planned by an earlier version a run does not ask them to. */
  readonly audits?: true
  /** What the checks said, where they were asked. */
  readonly health?: readonly HealthReport[]
  /** What it was made upon, so that nothing has to be planned again while that is so. */
  readonly glance?: Glance
}

/** What an earlier version found under the lease: the target was observed again, and what was planned stands. */
export interface Unchanged {
  readonly unchanged: true
}

export function planningActivities(deps: Deps) {
  return {
    /** Reads the raw request, looks at the target, and decides; what must not begin is refused here. */
    async plan(input: {
      readonly kind: RunKind
      readonly request: unknown
      readonly destination?: string
      /** Whether the checks are asked, too: what they say before anything is changed. */
      readonly asksHealth?: boolean
    }): Promise<Planned | Unchanged> {
      return await beating(async () => {
        const { kind, request, destination, asksHealth = false } = input
        const notifies = subscriptionsOf(deps.config)
        try {
          const asked = asksHealth ? healthBefore(deps, request) : null
          const { begin, glanced } = glancing(deps, kind)
          const plan = await planners[kind](begin, request, destination)
          const [health, seen] = await Promise.all([asked, glanced()])
          const more = {
            ...(notifies ? { notifies } : {}),
            ...(health ? { health } : {}),
            ...(seen ? { glance: seen } : {}),
          }
          return { plan, searchable: deps.searchable, audits: true, ...more }
        } catch (error) {
          throw notifies ? telling(error, notifies) : error
        }
      })
    },

    /** What is there now, whoever says what was done. */
    async observeEnd(input: {
      readonly target: string
      /** What should answer; null where nothing was known before. */
      readonly version: string | null
      /** How the run ends hangs on it, so that one bad answer is not enough. */
      readonly decides?: true
    }): Promise<readonly HealthReport[]> {
      return await beating(async () => {
        const look = await Look.at(deps, input.target)
        const ask = () => healthNow(look, input.version)
        return input.decides ? await askedOften({ ask, well: allHealthy, target: look.target }) : await ask()
      })
    },
  }
}

async function healthNow(look: Look, expected: string | null): Promise<readonly HealthReport[]> {
  const [reports, version] = await together([askChecks(look), readVersion(look.deps, look.target)])
  if (!look.target.version) return reports
  const healthy = expected === null || version === expected
  return [...reports, { check: 'version', healthy, detail: version ?? 'no answer' }]
}

/** Beside the looks of the plan, which it must neither fail nor hold up. */
async function healthBefore(deps: Deps, request: unknown): Promise<readonly HealthReport[] | null> {
  const asked = Look.at(deps, nameOf(request)).then(askChecks)
  const late = sleep(healthWithinMs, null, { ref: false })
  return await Promise.race([asked, late]).catch(() => null)
}

const healthWithinMs = 5_000

/** Before anybody has read the request: what is no name is no target. */
function nameOf(request: unknown): string {
  const { target } = (request ?? {}) as { readonly target?: unknown }
  return typeof target === 'string' ? target : ''
}

/** Of a run that is refused somebody may want to hear, too. */
function telling(error: unknown, notifies: Subscriptions): unknown {
  if (!(error instanceof StepbackError)) return error
  const { type, message, details, cause } = error
  return new StepbackError({ type, message, cause, details: { ...(details as object | undefined), notifies } })
}

const planners: Readonly<Record<RunKind, (begin: Begin, raw: unknown, destination?: string) => Promise<Plan>>> = {
  deploy,
  rollback,
  backup,
  emergency,
}

/** Opens the look at a target. */
type Begin = (target: string) => Promise<Look>

/** The lease is read before all else; the rest of the glance is beside the looks of the plan, and never fails it. */
function glancing(deps: Deps, kind: RunKind) {
  let glanced: Promise<Glance | undefined> | undefined
  const begin: Begin = async (name) => {
    const look = await Look.at(deps, name)
    if (kind === 'emergency') return look // planned once
    const lease = await freeLease(look)
    if (lease !== undefined) glanced = glance(look, lease).catch(() => undefined)
    return look
  }
  return { begin, glanced: async () => await glanced }
}

async function deploy(begin: Begin, raw: unknown): Promise<Plan> {
  const request = parseDeployRequest(raw)
  const look = await begin(request.target)
  const [seen, brought] = await Promise.all([
    observe(look, { release: request.release }),
    observeRelease(look, request),
  ])
  const { model } = brought?.facts ?? seen
  const hash = brought ? brought.hash : await hashWith(look, [])
  const ahead = await observeAhead(look, { model, containers: seen.containers, hash })
  const facts = brought ? seen : { ...seen, ahead }
  return withDigest(planDeploy(request, facts, brought && { ...brought.facts, ahead }), request)
}

async function rollback(begin: Begin, raw: unknown, destination?: string): Promise<Plan> {
  const request = parseRollbackRequest(raw)
  const look = await begin(request.target)
  // Its looks come first: what else is asked of the restore point waits for them.
  const seeking = observeGoal(look, request, destination)
  const [facts, goal] = await together([observe(look), seeking])
  return withDigest(await decideRollback(look, request, facts, goal), request)
}

async function backup(begin: Begin, raw: unknown): Promise<Plan> {
  const request = parseBackupRequest(raw)
  const look = await begin(request.target)
  const [facts, names] = await Promise.all([observe(look), look.look(listShelf(look.target.backups))])
  return withDigest(planBackup(request, facts, names.split('\n')), request)
}

async function emergency(begin: Begin, raw: unknown): Promise<Plan> {
  const request = parseEmergencyRequest(raw)
  const look = await begin(request.target)
  return withDigest(planEmergency(request, await observeEmergency(look, request)), request)
}

/** Where it goes is in the ledger and on the shelf alone, so what lies there is looked at beside the target itself. */
async function observeGoal(look: Look, request: RollbackRequest, fixed: string | undefined) {
  const [records, shelf] = await together([look.records(), look.shelf()])
  const destination = chooseDestination(request, { records, ...shelf }, fixed)
  if (destination.kind === 'revision') return destination
  const { manifest } = destination
  if (request.scope === 'containers' || request.scope === 'config') return { ...destination, held: null }
  return { ...destination, held: await observeHeld(look, { request, records, manifest, manifests: shelf.manifests }) }
}

async function decideRollback(
  look: Look,
  request: RollbackRequest,
  facts: Facts,
  destination: Awaited<ReturnType<typeof observeGoal>>,
): Promise<Omit<Plan, 'digest'>> {
  if (destination.kind === 'revision') {
    const down = facts.database ? planMigrations({ ...facts.database, to: destination.to }).down : []
    const exposure = await observeDowns(
      look,
      down.map((migration) => migration.name),
    )
    return planRevert(request, facts, destination.to, exposure)
  }
  const { manifest, because, held } = destination
  if (held) return planRollback(request, facts, await observeCandidate(look, { request, facts, held }), because)
  if (request.scope === 'containers') {
    return planContainers(request, facts, await observeRecorded(look, { request, facts, manifest }), because)
  }
  return planConfiguration(request, facts, await observeConfiguration(look, { request, facts, manifest }), because)
}

function withDigest(plan: Omit<Plan, 'digest'>, request: object): Plan {
  const digest = createHash('sha256').update(digestText(plan, request)).digest('hex')
  return { ...plan, digest: `sha256:${digest}` }
}
