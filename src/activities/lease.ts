// The lease of a run from its beginning to its end, and what is written around it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { tryPlain } from '../adapters/host/plain.js'
import { findReserve, freeReserve, keepReserve } from '../commands/disk.js'
import { freeBytes, parseBytes } from '../commands/observe.js'
import { type ForPeople, tidyUp } from '../commands/tidy.js'
import { findTarget } from '../config/load.js'
import type { Target } from '../config/schema.js'
import type { Host, LeaseState } from '../adapters/host.js'
import { type Asked, type Audited, type Ended, type WrittenEnd, auditedPlan } from '../plan/audit.js'
import { StepbackError } from '../plan/failure.js'
import type { Circumstances, Noted } from '../plan/incident.js'
import { type Debt, type LedgerEntry, type Release, type RunId, debts, runDigits } from '../plan/ledger.js'
import type { Plan, RunKind } from '../plan/plan.js'
import { beating } from './act.js'
import { audit } from './audit.js'
import { holderOf, ownRun } from './context.js'
import { raiseDatabaseFence } from './database-fence.js'
import type { Deps } from './deps.js'
import { endOf, forPeople, notedIn, settlementOf } from './incidents.js'
import { Judge } from './lease-judge.js'
import { ledgerRecords } from './observe/ledger.js'
import { messageOf } from './to-failure.js'
import { together } from './together.js'

/** With less nothing that a run writes down may find room. */
const leastBytes = 2_000_000

interface LeaseInput {
  readonly target: string
  readonly token: number
}

/** A plan that a run begins, and who asked for it. */
interface Beginning {
  readonly plan: Plan
  readonly asked?: Asked
}

interface Wanted {
  readonly target: string
  readonly kind: RunKind | 'guard'
  /** As a plan says it. */
  readonly freesReserve?: true
  /** Nobody has approved anything yet, so it waits for whoever holds it. */
  readonly waits?: boolean
  /** Written down at once. Only for a run that plans nothing again: another attempt would find this plan, and not its own. */
  readonly begins?: Beginning
}

export interface Acquired {
  readonly token: number
  readonly run: RunId
  readonly debts: readonly Debt[]
  /** As a plan says it. */
  readonly audits?: true
  /** The plan is in the ledger. */
  readonly begun?: true
}

export function leaseActivities(deps: Deps) {
  return {
    /** Waits until the lease is this run's; behind it no job and no database session of an older token is left. */
    async acquireLease(input: Wanted): Promise<Acquired> {
      return await beating(async () => {
        try {
          return await acquire(deps, input)
        } catch (error) {
          throw input.kind === 'emergency' ? await noRoomFor(deps, input.target, error) : error
        }
      })
    },

    /** Renews the lease while a person thinks; ends only by being cancelled or fenced. */
    async keepLease(input: LeaseInput): Promise<void> {
      return await beating(async () => {
        const host = deps.hosts.host(findTarget(deps.config, input.target))
        for (;;) {
          await host.renew({ token: input.token, holder: holderOf(deps) })
          await sleep(20_000, undefined, { signal: Context.current().cancellationSignal })
        }
      })
    },

    async recordPlan(input: LeaseInput & Beginning): Promise<Audited | undefined> {
      return await beating(() => writePlan(deps, input))
    },

    async closeDebt(
      input: LeaseInput & { readonly run: RunId; readonly how: 'undone' | 'accepted'; readonly plan?: Plan },
    ): Promise<void> {
      return await beating(async () => {
        const { token, run, how, plan } = input
        await append(deps, input.target, token, `debt.${run.runId}`, { kind: 'debt-closed', run, how })
        const target = findTarget(deps.config, input.target)
        const host = deps.hosts.host(target)
        await audit(host, `debt.${run.runId}`, { kind: 'debt', of: run, how })
        const people = plan && forPeople(target, await settlementOf(host, { target, run, how, plan }))
        await tidy(deps, target, { token, run, people })
      })
    },

    /** The end goes into the ledger first, then the lease goes back: a run without an end would be taken for a debt. */
    async finishRun(
      input: LeaseInput & {
        readonly outcome: string
        /** What it brought, where it was done. */
        readonly plan?: Plan
        readonly ended?: Ended
        readonly circumstances?: Circumstances
      },
    ): Promise<WrittenEnd | undefined> {
      return await beating(async () => {
        const target = findTarget(deps.config, input.target)
        const host = deps.hosts.host(target)
        const release = input.plan ? releaseOf(input.plan) : null
        const entry: LedgerEntry = {
          kind: 'finished',
          run: ownRun(),
          outcome: input.outcome,
          ...(release ? { release } : {}),
        }
        await append(deps, input.target, input.token, 'finished', entry)
        const people = forPeople(target, endOf(target, input))
        const [audited, { note, lacksReserve }] = await together([
          input.ended && audit(host, 'ended', input.ended),
          tidy(deps, target, { token: input.token, run: ownRun(), people }),
          isBackup() && forgetOldJobs(host),
        ])
        await together([
          lacksReserve && writeReserve(host, target, input.token),
          host.release({ token: input.token, holder: holderOf(deps, rehearsals.includes(input.outcome)) }),
        ])
        return audited && { ...audited, ...(note ? { note } : {}) }
      })
    },
  }
}

/** Into the ledger, which knows by it what the run may leave, and into the record. */
async function writePlan(
  deps: Deps,
  { target, token, plan, asked }: LeaseInput & Beginning,
): Promise<Audited | undefined> {
  const host = deps.hosts.host(findTarget(deps.config, target))
  const [audited] = await together([
    asked && audit(host, 'begun', { kind: 'begun', asked, plan: auditedPlan(plan) }),
    append(deps, target, token, 'plan', { kind: 'plan', run: ownRun(), plan }),
  ])
  return audited
}

/** How a rehearsal ends; the lease that goes back is its own. */
const rehearsals = ['rehearsed', 'not-rehearsed']

async function acquire(deps: Deps, input: Wanted): Promise<Acquired> {
  const target = findTarget(deps.config, input.target)
  const host = deps.hosts.host(target)
  const judge = new Judge(deps, host, input.kind, input.waits)
  const urgent = input.kind === 'emergency'
  const holder = holderOf(deps, input.waits)
  if (input.freesReserve) await tryPlain(await deps.hosts.ssh(target), freeReserve(host.stateDirectory))
  for (;;) {
    const got = await host.acquire({ holder, mayTake: (state) => judge.mayTake(state) })
    if (got.outcome === 'fenced') throw fenced(got.by)
    if (got.outcome === 'acquired') {
      // The database may be what does not answer: a step of the emergency's own fences it, behind its first act.
      if (!urgent) {
        const by = { run: ownRun(), attempt: Context.current().info.attempt }
        await raiseDatabaseFence(deps, target, got.token, by)
      }
      await append(deps, input.target, got.token, 'acquired', { kind: 'acquired', run: ownRun(), saw: judge.saw })
      // What others left stays for the next run: undoing it first could start what is to be stopped.
      const left = urgent ? [] : debts(await ledgerRecords(host), ownRun())
      const acquired = { token: got.token, run: ownRun(), debts: left, audits: true } as const
      if (!input.begins) return acquired
      await writePlan(deps, { target: input.target, token: got.token, ...input.begins })
      return { ...acquired, begun: true }
    }
    await sleep(2_000, undefined, { signal: Context.current().cancellationSignal })
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

/** Nothing depends on what was staged nor on the words for people, so only not reaching the host makes it fail. */
async function tidy(
  deps: Deps,
  target: Target,
  input: { readonly token: number; readonly run: RunId; readonly people: ForPeople | undefined },
): Promise<{ readonly note: Noted | undefined; readonly lacksReserve: boolean }> {
  const { token, run, people } = input
  const host = deps.hosts.host(target)
  const run8 = runDigits(run)
  const { reserveBytes } = target.emergency
  const script = tidyUp({
    staging: `${host.stateDirectory}/staging/${run8}`,
    reserve: reserveBytes > 0 ? findReserve(host.stateDirectory) : '',
    forPeople: people,
  })
  try {
    const job = await host.runJob({ id: `${runDigits(ownRun())}.${run8}.tidy.${token}`, token, script })
    if (job.outcome === 'exited')
      return { note: notedIn(people, job), lacksReserve: job.stdout.split('\n').includes('missing') }
    return { note: people && { problem: `writing it was ${job.outcome}` }, lacksReserve: false }
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Unreachable') throw error
    return { note: people && { problem: messageOf(error) }, lacksReserve: false }
  }
}

/** By a timer, since nobody waits until it is written; a disk that has no room for that is no reason to fail a run. */
async function writeReserve(host: Host, target: Target, token: number): Promise<void> {
  const script = keepReserve(host.stateDirectory, target.emergency.reserveBytes)
  await host.armTimer({ name: `reserve.${token}`, script }).catch(() => undefined)
}

/** Backups come by schedule and wait for nobody, so what every run leaves on the host is forgotten by them. */
function isBackup(): boolean {
  return Context.current().info.workflowType === 'backupWorkflow'
}

/** Far behind any run that could still ask for one. */
const oldJobDays = 30

/** A host that does not answer is met again by the release; nothing else hangs on it. */
async function forgetOldJobs(host: Host): Promise<void> {
  await host.prune({ olderThanDays: oldJobDays }).catch(() => undefined)
}

async function append(deps: Deps, name: string, token: number, id: string, entry: LedgerEntry): Promise<void> {
  const host = deps.hosts.host(findTarget(deps.config, name))
  await host.appendLedger({ token, id: `${ownRun().runId}.${token}.${id}`, entry })
}

function releaseOf(plan: Plan): Release | null {
  if (plan.kind !== 'deploy' && plan.kind !== 'rollback') return null
  if (plan.scope !== undefined && plan.scope !== 'full') return null
  const paths = plan.steps.flatMap(({ act }) => (act.name === 'putFiles' ? act.args.paths : []))
  const restorePoint = plan.kind === 'rollback' ? (plan.restorePoint ?? plan.safety) : plan.safety
  const migrations = plan.steps.flatMap(({ act }) => (act.name === 'keepMigrations' ? [act.args.sha256] : []))[0]
  return { kind: plan.kind, version: plan.version, restorePoint, paths, ...(migrations ? { migrations } : {}) }
}

function fenced(by: LeaseState): StepbackError {
  const who = by.holder ? `${by.holder.kind} ${by.holder.workflowId}` : 'nobody'
  return new StepbackError({
    type: 'Fenced',
    message: `the lease was taken over; token ${by.number} is in force, held by ${who}`,
    hint: 'look at that run; this one changes nothing more.',
  })
}
