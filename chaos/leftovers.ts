// What must not be on a host when no run is under way, read from its files, a line each.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerEntry } from '../src/plan/ledger.js'
import { ledgerEntries } from './chain.js'

/** In the state directory of a target. */
export function leftoversIn(state: string): string[] {
  return [
    ...heldLease(state),
    ...livingJobs(state),
    ...names(join(state, 'staging')).map((name) => `staging ${name}`),
    ...openPlans(ledgerEntries(state)).map((run) => `debt of ${run}`),
  ]
}

function heldLease(state: string): string[] {
  const numbers = names(join(state, 'lease')).flatMap((name) => /^t\.(\d+)$/.exec(name)?.[1] ?? [])
  if (numbers.length === 0) return []
  const newest = Math.max(...numbers.map(Number))
  const lease = JSON.parse(readFileSync(join(state, 'lease', `t.${newest}`), 'utf8')) as { readonly free?: boolean }
  return lease.free ? [] : [`lease ${newest} is held`]
}

function livingJobs(state: string): string[] {
  return names(join(state, 'jobs')).flatMap((job) => unended(state, job).map((claim) => `job ${job} ${claim}`))
}

/** Generations of a job that were claimed and have not come to an end. */
export function unended(state: string, job: string): string[] {
  const files = names(join(state, 'jobs', job))
  const claims = files.filter((name) => name.startsWith('claim.')).map((name) => name.slice('claim.'.length))
  return claims.filter((claim) => !files.includes(`exit.${claim}`))
}

/** Runs with a plan and without an end. */
export function openPlans(entries: readonly { readonly entry: LedgerEntry }[]): string[] {
  const open = new Map<string, string>()
  for (const { entry } of entries) {
    if (entry.kind === 'plan') open.set(entry.run.runId, entry.run.workflowId)
    if (entry.kind === 'finished' && entry.settles) open.clear()
    if (entry.kind === 'finished' || entry.kind === 'debt-closed') open.delete(entry.run.runId)
  }
  return [...open.values()]
}

/** Databases that neither the stack nor a restore point knows. */
export function strayDatabases(databases: readonly string[], own: readonly string[], named: readonly string[]) {
  return databases.filter((name) => ![...own, ...named].includes(name)).map((name) => `database ${name}`)
}

function names(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => !name.startsWith('.')) : []
}
