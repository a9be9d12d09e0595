import { createJournal, journalMark } from '../commands/database/journal.js'
import { sessionPrefix } from '../commands/database/names.js'
import type { Host } from '../adapters/host.js'
import type { Target } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import { type RunId, runDigits } from '../plan/ledger.js'
import { doneAgain } from './context.js'
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
  if (await raise(user).catch(absent)) return
  await makeJournal(user, host, by)
  if (!(await raise(user))) throw notMade()
}

/** False where the journal is not as this version needs it. */
async function raise(user: DatabaseUser): Promise<boolean> {
  const mine = { target: user.target.name, token: user.token }
  return await withJournal(user, 'fence', async (journal) => {
    if (!(await journal.has(journalMark))) return false
    await journal.raiseFence(mine)
    await journal.endSessions({ prefix: sessionPrefix({ target: mine.target }), olderThan: mine.token })
    // Whoever died between closing and swapping left the door closed; its token is over now.
    await journal.mend(mine)
    return true
  })
}

/** Where there is no journal yet, connecting to it is refused. */
function absent(error: unknown): false {
  if (error instanceof StepbackError && error.type === 'Refused') return false
  throw error
}

async function makeJournal(
  user: DatabaseUser,
  host: Host,
  by: { readonly run: RunId; readonly attempt: number },
): Promise<void> {
  const { access } = await databaseAccess(user, 'journal')
  const { token } = user
  // Each attempt has a job of its own: one that failed stays failed for ever, and making it twice is well.
  const id = `${runDigits(by.run)}.journal.${token}.${by.attempt}`
  const made = await host.runJob({ id, token, script: createJournal(access), holds: doneAgain })
  if (made.outcome !== 'done' && (made.outcome !== 'exited' || made.exitCode !== 0)) throw notMade()
}

function notMade(): StepbackError {
  return new StepbackError({ type: 'Unreachable', message: 'the journal of database work could not be made' })
}
