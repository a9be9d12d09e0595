import type { MigrationInfo } from '../../plan/revision.js'
import { type Recorded, appliedTimes } from '../../plan/ledger.js'
import { databaseOf, withTunnel } from '../database-access.js'
import { knownMigrations } from '../known-migrations.js'
import { ledgerRecords } from './ledger.js'
import type { Look } from './look.js'

export interface Revision {
  readonly revision: string
  readonly name: string
  readonly applied: boolean
  /** When a run of stepback applied or adopted it; null for what was there before, which nobody wrote down. */
  readonly appliedAt: string | null
  /** Null where its code is not known. */
  readonly reversible: boolean | null
}

export interface Revisions {
  readonly known: readonly MigrationInfo[]
  readonly applied: readonly string[]
  /** There are tables, and no record of a migration. */
  readonly unrecorded: boolean
  readonly alembic: string | null
  readonly revisions: readonly Revision[]
}

/** What is applied, and what is known: the host's ledger says when. */
export async function observeRevisions(look: Look): Promise<Revisions> {
  databaseOf(look.target)
  const { deps, target, ssh } = look
  const user = { deps, target, ssh, token: 0, look: (script: string) => look.look(script) }
  const { applied, unrecorded, alembic } = await withTunnel(user, 'revisions', async (address) => {
    const live = await deps.database.TargetDatabase.connect(address)
    return await live.observe().finally(() => live.end())
  })
  const { classes } = await knownMigrations(look, { needed: applied })
  const known = await deps.database.describeMigrations(classes)
  return { known, applied, unrecorded, alembic, revisions: listed(known, applied, await ledgerRecords(look.host)) }
}

function listed(known: readonly MigrationInfo[], applied: readonly string[], records: readonly Recorded[]): Revision[] {
  const times = appliedTimes(records)
  const unknown = applied.filter((name) => !known.some((it) => it.name === name))
  const ours = known.map(({ name, reversible }) => ({ name, reversible }))
  const all = [...ours, ...unknown.map((name) => ({ name, reversible: null }))]
  return all
    .toSorted((a, b) => Number(a.name.slice(-13)) - Number(b.name.slice(-13)))
    .map(({ name, reversible }) => {
      const isApplied = applied.includes(name)
      return {
        revision: name.slice(0, -13),
        name,
        applied: isApplied,
        appliedAt: isApplied ? (times.get(name) ?? null) : null,
        reversible,
      }
    })
}
