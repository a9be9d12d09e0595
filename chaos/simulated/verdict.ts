// What became of a deploy, looked at from outside: as planned exactly, undone exactly, or what is wrong.

import { type Debt, debts } from '../../src/plan/ledger.js'
import { ledgerRecords } from '../../src/activities/observe/ledger.js'
import type { Host } from '../../src/adapters/host.js'
import type { LedgerEntry } from '../../src/plan/ledger.js'
import type { SimulatedHost } from './host.js'
import { groundAfter, groundBefore } from './stack.js'

export interface Ended {
  /** As the run itself says it. */
  readonly said: string
  readonly message: string
}

export interface Verdict {
  readonly state: 'as planned' | 'as before' | 'mixed'
  readonly violations: readonly string[]
}

/** `host`: over a connection on which nothing fails. */
export async function judge(simulated: SimulatedHost, host: Host, { said }: Ended): Promise<Verdict> {
  const { ground, helper, migrated, staged } = simulated
  const state = same(ground, groundAfter()) ? 'as planned' : same(ground, groundBefore()) ? 'as before' : 'mixed'
  const records = await ledgerRecords(host)
  const left: Debt[] = debts(records, { workflowId: '', runId: '' })
  const { damage } = await host.readAudit()
  const expected = { done: 'as planned', undone: 'as before', refused: 'as before' }[said]
  return {
    state,
    violations: [
      ...(state === expected ? [] : [`the run says "${said}", and the host is ${state}: ${JSON.stringify(ground)}`]),
      ...(helper.lease.isFree ? [] : ['the lease was not given back']),
      ...(left.length > 0 ? ['the ledger has a debt'] : []),
      ...(damage.length > 0 ? ['the audit record is broken'] : []),
      ...(migrated.up > 1 || migrated.down > 1 ? [`migrated up ${migrated.up} and down ${migrated.down} times`] : []),
      ...(staged.size > 0 ? ['what was staged is still there'] : []),
      ...helper.jobs.problems,
      ...(said === 'done' ? stepsDoneOnce(records.map((it) => it.entry)) : []),
    ],
  }
}

/** The ledger has each step of the plan done, and none of them twice. */
function stepsDoneOnce(entries: readonly LedgerEntry[]): string[] {
  const plan = entries.find((it) => it.kind === 'plan')?.plan
  const done = entries.flatMap((it) => (it.kind === 'end' && it.outcome === 'done' && !it.undo ? [it.step] : []))
  return (plan?.steps ?? []).flatMap(({ act }, index) => {
    const times = done.filter((it) => it === index).length
    return times === 1 ? [] : [`the ledger has ${act.name} done ${times} times`]
  })
}

function same(one: object, other: object): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, it]) => [key, sorted(it)])
}
