// What a rollback that carries rows forward has besides: which rows, their rehearsal, and what is lost behind it.

import type { CarryArgs } from './act.js'
import { type Rehearsal, chosenTables, lossBehind, named } from './carry.js'
import type { Ready } from './copies.js'
import type { CandidateFacts, Facts } from './facts.js'
import { lastRehearsal } from './ledger.js'
import type { BesideDatabase, Manifest } from './manifest.js'
import type { Plan } from './plan.js'
import type { RollbackRequest } from './request.js'
import { rehearsalSteps } from './steps/carry.js'

/** What a copy of that is made of: itself is never written to, and stays good for another rollback. */
export function copyOf(ready: Ready | null): { readonly copyOf?: BesideDatabase } {
  return ready ? { copyOf: { name: ready.name, oid: ready.oid } } : {}
}

/** What is carried where the database is exchanged; `Refused` where nobody could know which rows those are. */
export function carriesFrom(
  { carryForward: tables }: RollbackRequest,
  { manifest, since, carryable = [], exposure }: CandidateFacts,
): CarryArgs | undefined {
  if (tables === undefined) return undefined
  chosenTables(tables, carryable, exposure)
  return { from: manifest.id, tables, ...(since === undefined ? {} : { since }) }
}

export function carrying(
  facts: Facts,
  carries: CarryArgs,
  rehearsed: Rehearsal | undefined,
  ready: Ready | null,
): Pick<Plan, 'carry' | 'rehearsal'> {
  const { tables } = carries
  const ageMs = rehearsed && Math.max(0, Date.parse(facts.at) - Date.parse(rehearsed.at))
  return {
    carry: { tables, rehearsed: rehearsed ?? null, ...(ageMs === undefined ? {} : { ageMs }) },
    rehearsal: rehearsalSteps(carries, copyOf(ready).copyOf),
  }
}

export function rehearsalFor(
  { carryForward: tables }: RollbackRequest,
  { records }: Facts,
  { id }: Manifest,
): Rehearsal | undefined {
  return tables === undefined ? undefined : lastRehearsal(records, { restorePoint: id, tables })
}

/** Rows that a rehearsal carried are not lost. */
export function withoutCarried(candidate: CandidateFacts, rehearsed: Rehearsal | undefined): CandidateFacts {
  const { exposure } = candidate
  return rehearsed && exposure ? { ...candidate, exposure: lossBehind(exposure, rehearsed.tables) } : candidate
}

/** A name that means nothing is wrong here, too. */
export function rowsStay(
  { carryForward: tables }: RollbackRequest,
  { carryable }: Pick<CandidateFacts, 'carryable'> = {},
): string | undefined {
  if (tables !== undefined && tables !== 'all' && carryable) named(tables, carryable)
  return tables === undefined ? undefined : 'rows stay where they are, so none have to be carried forward'
}
