// Taking the lease, and the first that is done under it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { LeaseState } from '../adapters/host.js'
import { tryPlain } from '../adapters/host/plain.js'
import { freeReserve } from '../commands/disk.js'
import { freeBytes, parseBytes } from '../commands/observe.js'
import { findTarget } from '../config/load.js'
import { StepbackError } from '../plan/failure.js'
import { type Debt, type RunId, debts } from '../plan/ledger.js'
import type { RunKind } from '../plan/plan.js'
import { holderOf, ownRun } from './context.js'
import { raiseDatabaseFence } from './database-fence.js'
import type { Deps } from './deps.js'
import { type Beginning, append, writePlan } from './entries.js'
import { Judge } from './lease-judge.js'
import { type Glance, isStill } from './observe/glance.js'
import { ledgerRecords } from './observe/ledger.js'
import { Look } from './observe/look.js'
import { together } from './together.js'

/** With less nothing that a run writes down may find room. */
const leastBytes = 2_000_000

export interface Wanted {
  readonly target: string
  readonly kind: RunKind | 'guard'
  /** As a plan says it. */
  readonly freesReserve?: true
  /** Nobody has approved anything yet, so it waits for whoever holds it. */
  readonly waits?: boolean
  /**
   * Written down at once. Only for a run that plans nothing again: another attempt would find the plan of this one, and
   * not its own.
   */
  readonly begins?: Beginning
  /** What the plan was made upon. */
  readonly since?: Glance
}

export interface Acquired {
  readonly token: number
  readonly run: RunId
  readonly debts: readonly Debt[]
  /** As a plan says it. */
  readonly audits?: true
  /** The plan is in the ledger. */
  readonly begun?: true
  /** The target is as the plan was made upon, so that it stands. */
  readonly unchanged?: true
}

/** Waits until the lease is this run's; behind it no job and no database session of an older token is left. */
export async function takeLease(deps: Deps, input: Wanted): Promise<Acquired> {
  try {
    return await take(deps, input)
  } catch (error) {
    throw input.kind === 'emergency' ? await noRoomFor(deps, input.target, error) : error
  }
}

async function take(deps: Deps, input: Wanted): Promise<Acquired> {
  const target = findTarget(deps.config, input.target)
  const host = deps.hosts.host(target)
  const judge = new Judge(deps, host, input.kind, input.waits)
  const holder = holderOf(deps, input.waits)
  if (input.freesReserve) await tryPlain(await deps.hosts.ssh(target), freeReserve(host.stateDirectory))
  for (;;) {
    const got = await host.acquire({ holder, mayTake: (state) => judge.mayTake(state) })
    if (got.outcome === 'fenced') throw fenced(got.by)
    if (got.outcome === 'acquired') return await begin(deps, input, { token: got.token, saw: judge.saw })
    await sleep(2_000, undefined, { signal: Context.current().cancellationSignal })
  }
}

/** The first that is done under it. */
async function begin(
  deps: Deps,
  { target: name, kind, begins, since }: Wanted,
  { token, saw }: { readonly token: number; readonly saw: Judge['saw'] },
): Promise<Acquired> {
  const target = findTarget(deps.config, name)
  const urgent = kind === 'emergency'
  const run = ownRun()
  const announced = append(deps, name, token, 'acquired', { kind: 'acquired', run, saw })
  const [left, stands] = await together([
    // What others left stays for the next run: undoing it first could start what is to be stopped.
    announced.then(async () => (urgent ? [] : debts(await ledgerRecords(deps.hosts.host(target)), run))),
    since && Look.at(deps, name).then((look) => isStill(look, { ...since, token })),
    // The database may be what does not answer: a step of the emergency's own fences it, behind its first act.
    !urgent && raiseDatabaseFence(deps, target, token, { run, attempt: Context.current().info.attempt }),
  ])
  if (begins) await writePlan(deps, { target: name, token, ...begins })
  return {
    token,
    run,
    debts: left,
    audits: true,
    ...(begins ? { begun: true } : {}),
    ...(stands && left.length === 0 ? { unchanged: true } : {}),
  }
}

/** In an emergency nobody waits for room that nobody makes: where there is none for the lease, that is the answer. */
async function noRoomFor(deps: Deps, name: string, error: unknown): Promise<unknown> {
  const target = findTarget(deps.config, name)
  const { stateDirectory } = deps.hosts.host(target)
  const look = deps.hosts.ssh(target).then((ssh) => tryPlain(ssh, freeBytes(stateDirectory)))
  const free = await look.then(({ stdout }) => parseBytes(stdout)).catch(() => Number.NaN)
  if (!(free < leastBytes)) return error
  return new StepbackError({
    type: 'Refused',
    message: `there is no room for the lease in '${stateDirectory}': ${free} bytes are free, and no reserve is left`,
    hint: 'free some megabytes on the host by hand, as by `docker builder prune --all --force`, and ask again.',
    cause: error,
  })
}

function fenced(by: LeaseState): StepbackError {
  const who = by.holder ? `${by.holder.kind} ${by.holder.workflowId}` : 'nobody'
  return new StepbackError({
    type: 'Fenced',
    message: `the lease was taken over; token ${by.number} is in force, held by ${who}`,
    hint: 'look at that run; this one changes nothing more.',
  })
}
