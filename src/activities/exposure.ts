// What going back to a restore point would lose, with what the journal remembers of the time since: without it no figure
// could be exact.

import {
  type Counted,
  type DatabaseAddress,
  type Journal,
  type OwnWrites,
  type Remembered,
  type TargetDatabase,
  nothingRemembered,
  writtenBetween,
} from '../adapters/database.js'
import { differenceBetween, grownBy } from '../plan/exposure.js'
import { StepbackError } from '../plan/failure.js'
import type { DatabaseManifest, Manifest } from '../plan/manifest.js'
import { type DatabaseUser, withJournalAt } from './database-access.js'
import { readManifests } from './observe/manifests.js'

/**
 * Counted from the restore point on; where the live database was swapped in since it was taken, from its first moment as the
 * live one, and what was written between the restore point and what it was made from is told by their manifests.
 */
export async function exposureSince(
  user: DatabaseUser,
  address: DatabaseAddress,
  input: { readonly live: TargetDatabase; readonly point: Manifest },
): Promise<Counted> {
  const { live, point } = input
  const database = figuresOf(point)
  const { remembered, swappedIn } = await askJournal(user, address, { id: point.id, database })
  if (!swappedIn) return await live.exposure(database, remembered)
  const { source, oid, snapshot } = swappedIn
  const counted = await live.exposure(
    { ...source, oid, snapshot, openSavepoints: false },
    { ...remembered, taken: true },
  )
  const earlier = writtenBetween(database, source, swappedIn.migrations) ?? differenceBetween(database, source)
  return { ...counted, exposure: grownBy(counted.exposure, earlier) }
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
      remembered: await journal.remembered({ ...asked, id }),
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
  const beginning = await journal.beginningOf({ target, database })
  if (!beginning || beginning.oid === point.oid) return null
  const source = (await readManifests(user)).find((it) => it.id === beginning.source)?.database
  if (!source) return null
  const span = { target, oid: point.oid, after: point.snapshot, before: source.snapshot }
  return { ...beginning, source, migrations: await journal.migrationsBetween(span) }
}
