// What a run writes into the ledger around its steps.

import { findTarget } from '../config/load.js'
import { type Asked, type Audited, auditedPlan } from '../plan/audit.js'
import type { LedgerEntry } from '../plan/ledger.js'
import type { Plan } from '../plan/plan.js'
import { audit } from './audit.js'
import { ownRun } from './context.js'
import type { Deps } from './deps.js'
import { together } from './together.js'

export interface LeaseInput {
  readonly target: string
  readonly token: number
}

/** A plan that a run begins, and who asked for it. */
export interface Beginning {
  readonly plan: Plan
  readonly asked?: Asked
}

/** Once for a token, whoever tries again. */
export async function append(deps: Deps, name: string, token: number, id: string, entry: LedgerEntry): Promise<void> {
  const host = deps.hosts.host(findTarget(deps.config, name))
  await host.appendLedger({ token, id: `${ownRun().runId}.${token}.${id}`, entry })
}

/** Into the ledger, which knows by it what the run may leave, and into the record. */
export async function writePlan(
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
