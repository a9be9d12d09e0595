// Where a target stands, each part read by itself: that one cannot be read says nothing about the others.

import type { LeaseState } from '../../adapters/host.js'
import type { Deps } from '../../activities/deps.js'
import type { Look } from '../../activities/observe/look.js'
import type { GuardView, OpenRun, StepbackClient } from '../../client.js'
import { type Recorded, type RunId, debts, releaseLine, stopInForce } from '../../plan/ledger.js'
import type { Manifest } from '../../plan/manifest.js'
import type { OpenGate, HealthReport } from '../../plan/progress.js'
import { doubtsOf } from '../../plan/retention.js'

export type Part = 'target' | 'ledger' | 'restore points' | 'lease' | 'health' | 'version' | 'reserve'

export interface Situation {
  readonly target: string
  /** What the ledger says runs; null before the first deploy. */
  readonly release: { readonly version: string; readonly since: string; readonly restorePoint: string } | null
  /** What the application itself says. */
  readonly answers: string | null
  readonly health: readonly HealthReport[]
  readonly lease: {
    readonly workflowId: string
    readonly kind: string
    readonly takenAt: string | null
    readonly closed: boolean
  } | null
  /** The emergency stop that is in force. */
  readonly stopped: { readonly by: string; readonly since: string; readonly ran: readonly string[] } | null
  /** What is kept for a disk without a byte left: null where none is wanted, or no run was yet. */
  readonly reserve: 'there' | 'missing' | null
  readonly restorePoints: readonly {
    readonly id: string
    readonly version: string
    readonly state: string
    /** Why nobody should rely on it. */
    readonly doubt?: string
  }[]
  readonly unreadable: readonly { readonly id: string; readonly why: string }[]
  readonly debts: readonly { readonly workflowId: string; readonly startedSteps: number; readonly ask: string | null }[]
  /** Null where none runs, or none answers. */
  readonly guard: GuardView | null
  /** Null where Temporal does not answer. */
  readonly openRuns:
    readonly { readonly run: string; readonly phase: string | null; readonly gate: OpenGate | null }[] | null
  /** The parts that could not be read, and why; what stands above for them means nothing. */
  readonly unknown: readonly { readonly part: Part; readonly why: string }[]
}

export async function situationOf(input: {
  readonly deps: Deps
  readonly target: string
  readonly client: StepbackClient | null
  readonly openRuns: readonly OpenRun[] | null
}): Promise<Situation> {
  const unknown: { part: Part; why: string }[] = []
  const or = orElse(unknown)
  const look = await or('target', null, () => openLook(input.deps, input.target))
  const own = input.openRuns?.filter((it) => it.progress === null || it.progress.target === input.target) ?? null
  const openRuns =
    own?.map(({ run, progress }) => ({ run, phase: progress?.phase ?? null, gate: progress?.gate ?? null })) ?? null
  const [seen, guard] = await Promise.all([
    look ? readTarget(look, input.client, or) : nothing,
    input.client?.guard(input.target).catch(() => null) ?? null,
  ])
  return { target: input.target, ...seen, guard, openRuns, unknown }
}

const nothing = {
  release: null,
  answers: null,
  health: [],
  lease: null,
  stopped: null,
  reserve: null,
  restorePoints: [],
  unreadable: [],
  debts: [],
}

type Or = <T, E>(part: Part, otherwise: E, read: () => Promise<T>) => Promise<T | E>

function orElse(unknown: { part: Part; why: string }[]): Or {
  return async (part, otherwise, read) => {
    try {
      return await read()
    } catch (error) {
      unknown.push({ part, why: (error as Error).message })
      return otherwise
    }
  }
}

async function openLook(deps: Deps, target: string): Promise<Look> {
  const { Look } = await import('../../activities/observe/look.js')
  return await Look.at(deps, target)
}

async function readTarget(look: Look, client: StepbackClient | null, or: Or) {
  const { askChecks, readVersion } = await import('../../activities/health.js')
  const { ledgerRecords } = await import('../../activities/observe/ledger.js')
  const { readShelfNow } = await import('../../activities/observe/shelf-now.js')
  const { observeReserve } = await import('../../activities/observe/reserve.js')
  const [records, shelf, state, health, answers, reserve] = await Promise.all([
    or('ledger', [], () => ledgerRecords(look.host)),
    or('restore points', { manifests: [], unreadable: [] }, () => readShelfNow(look)),
    or('lease', null, () => look.host.readLease()),
    or('health', [], () => askChecks(look)),
    or('version', null, () => readVersion(look.deps, look.target)),
    or('reserve', null, () => observeReserve(look)),
  ])
  const lease = state?.holder ? await leaseOf(state, client) : null
  const holder = lease && !lease.closed ? state!.holder! : noRun
  return {
    release: releaseOf(records),
    answers,
    health,
    lease,
    stopped: stopInForce(records),
    reserve,
    restorePoints: shelf.manifests.map(pointOf),
    unreadable: shelf.unreadable,
    debts: debtsOf(records, holder),
  }
}

function pointOf(manifest: Manifest): Situation['restorePoints'][number] {
  const { id, version, state } = manifest
  const doubt = doubtsOf(manifest).join('; ')
  return { id, version, state, ...(doubt === '' ? {} : { doubt }) }
}

const noRun: RunId = { workflowId: '', runId: '' }

/** A run that holds the lease and is open is at work; one that Temporal has closed left it behind. */
async function leaseOf(state: LeaseState, client: StepbackClient | null): Promise<NonNullable<Situation['lease']>> {
  const { workflowId, kind } = state.holder!
  const open = client ? await client.isOpen(workflowId).catch(() => true) : true
  return { workflowId, kind, takenAt: state.takenAt ?? null, closed: !open }
}

function releaseOf(records: readonly Recorded[]): Situation['release'] {
  const current = releaseLine(records).at(-1)
  return current ? { version: current.version, since: current.at, restorePoint: current.restorePoint } : null
}

function debtsOf(records: readonly Recorded[], holder: RunId): Situation['debts'] {
  return debts(records, holder).map(({ run, started, ask }) => ({
    workflowId: run.workflowId,
    startedSteps: started.length,
    ask: ask ?? null,
  }))
}
