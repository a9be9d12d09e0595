// What going back to a restore point would lose, with what the journal remembers of the time since: without it no figure
// could be exact.

import {
  type Beginning,
  type Counted,
  type DatabaseAddress,
  type Remembered,
  type TargetDatabase,
  nothingRemembered,
} from '../adapters/database.js'
import { differenceBetween, grownBy } from '../plan/exposure.js'
import { StepbackError } from '../plan/failure.js'
import type { Manifest } from '../plan/manifest.js'
import { type DatabaseUser, withJournalAt } from './database-access.js'
import { readManifests } from './observe/manifests.js'

/**
 * Counted from the restore point on; where the live database was swapped in since it was taken, from its first moment as the
 * live one, and what it was made from is compared with the restore point by their manifests.
 */
export async function exposureSince(
  user: DatabaseUser,
  address: DatabaseAddress,
  input: { readonly live: TargetDatabase; readonly point: Manifest },
): Promise<Counted> {
  const { live, point } = input
  const database = point.database!
  const { remembered, beginning } = await askJournal(user, address, point.id)
  const since = beginning && beginning.oid !== database.oid ? beginning : undefined
  const source = since && (await readManifests(user)).find((it) => it.id === since.source)?.database
  if (!since || !source) return await live.exposure(database, remembered)
  const { oid, snapshot } = since
  const grown = { ...source, oid, snapshot, openSavepoints: false }
  const { exposure, counters } = await live.exposure(grown, { ...remembered, taken: true })
  return { exposure: grownBy(exposure, differenceBetween(database, source)), counters }
}

interface Asked {
  readonly remembered: Remembered
  readonly beginning?: Beginning | undefined
}

/** Nothing is remembered where there is no journal yet, which the first lease makes. */
async function askJournal(user: DatabaseUser, address: DatabaseAddress, id: string): Promise<Asked> {
  const asked = { target: user.target.name, database: address.database }
  try {
    return await withJournalAt(user, address, async (journal) => ({
      remembered: await journal.remembered({ ...asked, id }),
      beginning: await journal.beginningOf(asked),
    }))
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Refused') return { remembered: nothingRemembered }
    throw error
  }
}
