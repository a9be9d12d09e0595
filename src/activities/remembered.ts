// What the journal remembers of the time since a restore point: without it no figure of an exposure could be exact.

import { type DatabaseAddress, type Remembered, nothingRemembered } from '../adapters/database.js'
import { StepbackError } from '../plan/failure.js'
import { type DatabaseUser, withJournalAt } from './database-access.js'

/** Nothing where there is no journal yet, which the first lease makes. */
export async function remembered(user: DatabaseUser, address: DatabaseAddress, id: string): Promise<Remembered> {
  const { target } = user
  try {
    return await withJournalAt(user, address, (journal) =>
      journal.remembered({ target: target.name, id, database: address.database }),
    )
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Refused') return nothingRemembered
    throw error
  }
}
