// The lease of a run from its beginning to its end, and what is written around it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { findTarget } from '../config/load.js'
import type { Host } from '../adapters/host.js'
import type { Audited, Ended, WrittenEnd } from '../plan/audit.js'
import type { Circumstances } from '../plan/incident.js'
import type { LedgerEntry, Release, RunId } from '../plan/ledger.js'
import type { Plan } from '../plan/plan.js'
import { beating } from './act.js'
import { audit } from './audit.js'
import { holderOf, ownRun } from './context.js'
import type { Deps } from './deps.js'
import { type Beginning, type LeaseInput, append, writePlan } from './entries.js'
import { endOf, forPeople, settlementOf } from './incidents.js'
import { type Acquired, type Wanted, takeLease } from './take-lease.js'
import { tidy, writeReserve } from './tidy.js'
import { together } from './together.js'

export function leaseActivities(deps: Deps) {
  return {
    async acquireLease(input: Wanted): Promise<Acquired> {
      return await beating(() => takeLease(deps, input))
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

/** How a rehearsal ends; the lease that goes back is its own. */
const rehearsals = ['rehearsed', 'not-rehearsed']

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

function releaseOf(plan: Plan): Release | null {
  if (plan.kind !== 'deploy' && plan.kind !== 'rollback') return null
  if (plan.scope !== undefined && plan.scope !== 'full') return null
  const paths = plan.steps.flatMap(({ act }) => (act.name === 'putFiles' ? act.args.paths : []))
  const restorePoint = plan.kind === 'rollback' ? (plan.restorePoint ?? plan.safety) : plan.safety
  const migrations = plan.steps.flatMap(({ act }) => (act.name === 'keepMigrations' ? [act.args.sha256] : []))[0]
  return { kind: plan.kind, version: plan.version, restorePoint, paths, ...(migrations ? { migrations } : {}) }
}
