// What a run may leave behind on the host and in the database, and what it must have done only once.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ledgerEntries } from '../../chaos/chain.js'
import { leftoversIn } from '../../chaos/leftovers.js'
import { type LedgerEntry, runDigits } from '../../src/plan/ledger.js'
import type { Operator } from './operator.js'

export function stateDirectory({ sandbox }: Operator): string {
  return join(sandbox.backups, '.stepback', sandbox.target)
}

/** What the ledger says of one run, by its run id. */
export function entriesOf(operator: Operator, runId: string): LedgerEntry[] {
  return ledgerEntries(stateDirectory(operator)).flatMap(({ entry }) => (entry.run.runId === runId ? [entry] : []))
}

/** All that must not be there when no run is under way, a line each; empty when all is well. */
export async function leftovers(operator: Operator): Promise<string> {
  return [
    ...leftoversIn(stateDirectory(operator)),
    ...(await halfMadeDatabases(operator)),
    ...(await closedDoors(operator)),
  ].join('\n')
}

async function halfMadeDatabases(operator: Operator): Promise<string[]> {
  return (await operator.databases()).filter((name) => name.includes('__new_')).map((name) => `database ${name}`)
}

async function closedDoors(operator: Operator): Promise<string[]> {
  const doors = await operator.journal<{ state: string }>(`select state from stepback.door where state <> 'open'`)
  return doors.map(() => 'the database is closed')
}

/** What was done more than once in one run, a line each; empty when nothing was. */
export function doneTwice(operator: Operator, runId: string): string {
  const state = stateDirectory(operator)
  const digits = runDigits({ runId })
  const jobs = names(join(state, 'jobs')).filter((job) => job.startsWith(`${digits}.`))
  const again = jobs.filter((job) => names(join(state, 'jobs', job)).includes('claim.2')).map((job) => `job ${job}`)
  // An act that was tried again says so with an end of its own each time; it began once, and was done once.
  const acts = entriesOf(operator, runId).flatMap((entry) =>
    entry.kind === 'start' || (entry.kind === 'end' && entry.outcome === 'done')
      ? [`${entry.kind} of ${entry.undo ? 'undo ' : ''}${entry.step}-${entry.act}`]
      : [],
  )
  return [...again, ...acts.filter((act, index) => acts.indexOf(act) !== index)].join('\n')
}

function names(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => !name.startsWith('.')) : []
}
