// What going back to a restore point would lose, with what the journal remembers of the time since: without it no figure
// could be exact.

import {
  type CarryInput,
  type Counted,
  type DatabaseAddress,
  type Journal,
  type OwnWrites,
  type Remembered,
  type TargetDatabase,
  nothingRemembered,
  writtenBetween,
} from '../adapters/database.js'
import type { CarriedTable } from '../plan/carry.js'
import { differenceBetween, grownBy, rowsOf } from '../plan/exposure.js'
import { StepbackError } from '../plan/failure.js'
import type { DatabaseManifest, Manifest } from '../plan/manifest.js'
import type { Exposure } from '../plan/plan.js'
import { type DatabaseUser, withJournalAt } from './database-access.js'
import { readManifests } from './observe/manifests.js'

/**
 * Counted from the restore point on; where the live database was swapped in since it was taken, from its first moment as the
 * live one, and what was written between the restore point and what it was made from is told by their manifests.
 */
export async function exposureSince(
  user: DatabaseUser,
  address: DatabaseAddress,
  input: {
    readonly live: TargetDatabase
    readonly point: Manifest
    /** Where it goes back to the database that was live before: that has what was carried out of it. */
    readonly kept?: boolean
  },
): Promise<Counted> {
  const { live, point, kept = false } = input
  const database = figuresOf(point)
  const { remembered, swappedIn } = await askJournal(user, address, { id: point.id, database })
  if (!swappedIn) return await live.exposure(database, remembered)
  const { source, oid, snapshot } = swappedIn
  const counted = await live.exposure(
    { ...source, oid, snapshot, openSavepoints: false },
    { ...remembered, taken: true },
  )
  const earlier = writtenBetween(database, source, swappedIn.migrations) ?? differenceBetween(database, source)
  const since = grownBy(counted.exposure, earlier)
  return { ...counted, exposure: kept ? since : grownBy(since, broughtAlong(swappedIn.carried)) }
}

/** Since what rows may be told by transaction ids: nothing where the database of then is another one than the live one. */
export async function baselineOf(
  user: DatabaseUser,
  address: DatabaseAddress,
  { id, database }: Manifest,
): Promise<CarryInput['since']> {
  if (!database) return null
  const { remembered, swappedIn } = await askJournal(user, address, { id, database })
  return swappedIn ? null : { baseline: database, remembered }
}

/** Rows that were carried into the live database when it came in: what it was made from has none of them. */
function broughtAlong(carried: readonly CarriedTable[]): Exposure {
  const tables = carried
    .filter((it) => it.carried > 0)
    .map((it) => ({ table: it.table, inserted: it.carried, updated: 0, deleted: 0, newest: null, method: 'exact' }))
  return { total: rowsOf(tables), tables }
}

/** A restore point that is the database of then has none: it is counted from the one that it was made from. */
function figuresOf({ id, database }: Manifest): DatabaseManifest {
  if (database) return database
  const message = `nothing can be counted since restore point "${id}": its manifest has no figures of the database`
  throw new StepbackError({ type: 'StepFailed', message })
}

interface Asked {
  readonly remembered: Remembered
  /** Set where the live database came in since. */
  readonly swappedIn?: SwappedIn | null
}

interface SwappedIn {
  readonly oid: number
  /** Of its first moment as the live one. */
  readonly snapshot: string
  /** What it was made from. */
  readonly source: DatabaseManifest
  /** Those that ran between the restore point and the source. */
  readonly migrations: readonly OwnWrites[]
  /** What was carried into it before. */
  readonly carried: readonly CarriedTable[]
}

/** Nothing is remembered where there is no journal yet, which the first lease makes. */
async function askJournal(
  user: DatabaseUser,
  address: DatabaseAddress,
  { id, database }: { readonly id: string; readonly database: DatabaseManifest },
): Promise<Asked> {
  const asked = { target: user.target.name, database: address.database }
  try {
    return await withJournalAt(user, address, async (journal) => ({
      remembered: await journal.memory.remembered({ ...asked, id }),
      swappedIn: await readSwappedIn(user, journal, { ...asked, point: database }),
    }))
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Refused') return { remembered: nothingRemembered }
    throw error
  }
}

async function readSwappedIn(
  user: DatabaseUser,
  journal: Journal,
  { target, database, point }: { readonly target: string; readonly database: string; readonly point: DatabaseManifest },
): Promise<SwappedIn | null> {
  const beginning = await journal.memory.beginningOf({ target, database })
  if (!beginning || beginning.oid === point.oid) return null
  const source = (await readManifests(user)).find((it) => it.id === beginning.source)?.database
  if (!source) return null
  const span = { target, oid: point.oid, after: point.snapshot, before: source.snapshot }
  const carried = (await journal.memory.carriedInto({ target, database })) as
    { readonly tables: readonly CarriedTable[] } | undefined
  return {
    ...beginning,
    source,
    migrations: await journal.memory.migrationsBetween(span),
    carried: carried?.tables ?? [],
  }
}
