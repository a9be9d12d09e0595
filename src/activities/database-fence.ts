import { createJournal } from '../commands/database/journal.js'
import { sessionPrefix } from '../commands/database/names.js'
import type { Target } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import type { RunId } from '../plan/ledger.js'
import { runDigits, doneAgain } from './context.js'
import { type DatabaseUser, databaseAccess, withJournal } from './database-access.js'
import type { Deps } from './deps.js'

/** Part of taking the lease: the journal knows the token before any session of an older one is ended, and none is left. */
export async function raiseDatabaseFence(
  deps: Deps,
  target: Target,
  token: number,
  by: { readonly run: RunId; readonly attempt: number },
): Promise<void> {
  if (!target.database) return
  const host = deps.hosts.host(target)
  const user: DatabaseUser = {
    deps,
    target,
    ssh: await deps.hosts.ssh(target),
    token,
    look: async (text) => (await host.look({ script: text })).stdout,
  }
  const { access } = await databaseAccess(user, 'journal')
  // Each attempt has a job of its own: one that failed stays failed for ever, and making it twice is well.
  const id = `${runDigits(by.run)}.journal.${token}.${by.attempt}`
  const made = await host.runJob({ id, token, script: createJournal(access), holds: doneAgain })
  if (made.outcome !== 'done' && (made.outcome !== 'exited' || made.exitCode !== 0)) {
    throw new StepbackError({ type: 'Unreachable', message: 'the journal of database work could not be made' })
  }
  await withJournal(user, 'fence', async (journal) => {
    await journal.raiseFence({ target: target.name, token })
    await journal.endSessions({ prefix: sessionPrefix({ target: target.name }), olderThan: token })
    // Whoever died between closing and swapping left the door closed; its token is over now.
    await journal.mend({ target: target.name, token })
  })
}
