import type { MigrationClass, TargetDatabase } from '../../adapters/database.js'
import { lossesOf } from '../../plan/exposure.js'
import { withRehearsals } from '../../plan/rehearsal.js'
import { type MigrationInfo, revisionOf } from '../../plan/revision.js'
import { type Recorded, appliedTimes } from '../../plan/ledger.js'
import { databaseOf, withTunnel } from '../database-access.js'
import type { Deps } from '../deps.js'
import { knownMigrations } from '../known-migrations.js'
import { ledgerRecords } from './ledger.js'
import type { Look } from './look.js'
import { readManifests } from './manifests.js'

export interface Revision {
  readonly revision: string
  readonly name: string
  readonly applied: boolean
  /** When a run of stepback applied or adopted it; null for what was there before, which nobody wrote down. */
  readonly appliedAt: string | null
  /** Null where its code is not known. */
  readonly reversible: boolean | null
  /** Why it is not. */
  readonly irreversible?: string
  /** What reverting it now would lose, or what it lost when it was tried; null where nobody can tell. */
  readonly loses: readonly string[] | null
}

export interface Revisions {
  readonly known: readonly MigrationInfo[]
  readonly applied: readonly string[]
  /** There are tables, and no record of a migration. */
  readonly unrecorded: boolean
  readonly alembic: string | null
  readonly revisions: readonly Revision[]
}

/**
 * What is applied, and what is known: the host's ledger says when. `release`: the directory of one, where migrations come
 * with releases.
 */
export async function observeRevisions(look: Look, release?: string): Promise<Revisions> {
  databaseOf(look.target)
  const { deps, target, ssh } = look
  const user = { deps, target, ssh, token: 0, look: (script: string) => look.look(script) }
  return await withTunnel(user, 'revisions', async (address) => {
    const live = await deps.database.TargetDatabase.connect(address)
    try {
      const { applied, unrecorded, alembic } = await live.observe()
      const { classes } = await knownMigrations(look, { needed: applied, release })
      const known = withRehearsals(await deps.database.describeMigrations(classes), await readManifests(look))
      const losses = new Map<string, readonly string[] | null>()
      for (const name of applied) losses.set(name, await lossesOfDown(deps, live, classes, name))
      const records = await ledgerRecords(look.host)
      return { known, applied, unrecorded, alembic, revisions: listed({ known, applied, losses, records }) }
    } finally {
      await live.end()
    }
  })
}

async function lossesOfDown(
  { database }: Deps,
  live: TargetDatabase,
  migrations: readonly MigrationClass[],
  name: string,
): Promise<readonly string[] | null> {
  const dropped = await database.listenToDowns({ migrations, names: [name] })
  return dropped.unclear ? null : lossesOf(await live.countDropped(dropped))
}

function listed(input: {
  readonly known: readonly MigrationInfo[]
  readonly applied: readonly string[]
  readonly losses: ReadonlyMap<string, readonly string[] | null>
  readonly records: readonly Recorded[]
}): Revision[] {
  const { known, applied, losses } = input
  const times = appliedTimes(input.records)
  const unknown = applied.filter((name) => !known.some((it) => it.name === name))
  const all: readonly Pick<MigrationInfo, 'name' | 'irreversible' | 'loses'>[] = [
    ...known,
    ...unknown.map((name) => ({ name })),
  ]
  return all
    .toSorted((a, b) => Number(a.name.slice(-13)) - Number(b.name.slice(-13)))
    .map(({ name, irreversible, loses }) => ({
      revision: revisionOf(name),
      name,
      applied: applied.includes(name),
      appliedAt: applied.includes(name) ? (times.get(name) ?? null) : null,
      reversible: unknown.includes(name) ? null : irreversible === undefined,
      ...(irreversible === undefined ? {} : { irreversible }),
      loses: loses === undefined ? (losses.get(name) ?? (applied.includes(name) ? null : [])) : [`on a copy: ${loses}`],
    }))
}
