// The order in which databases are exchanged. Each line stands where it does for an accident that a search found when
// it stood elsewhere; every attempt begins at the top, whatever an earlier one did or whatever it could not learn.

import { StepbackError } from '../../plan/failure.js'
import type { Journal } from './journal.js'
import type { Direction, Mine, Operation } from './operation.js'
import { hasCode } from './errors.js'

export type SwapOutcome =
  | { readonly outcome: 'done'; readonly already: boolean; readonly liveOid: number; readonly closedMs: number }
  /** The judge said no: the database is open again, nothing was exchanged. */
  | { readonly outcome: 'held' }

/** A session of the run's own in the live database, which counts what would be lost when nobody else can write. */
export interface Judge {
  readonly pid: number
  goOn(): Promise<boolean>
  end(): Promise<void>
}

/** Sessions that were told to end are gone in some tens of milliseconds; nobody else gets in while one is waited for. */
const closedWithinMs = 5_000

export interface SwapInput extends Mine {
  readonly journal: Journal
  readonly id: string
  readonly direction: Direction
  /** Returns once the host's timer for this number runs; it is armed before the close, else a death leaves it closed. */
  readonly armTimer: (closing: number) => Promise<void>
  /** Opened anew before each close, since nobody gets in after it. */
  readonly openJudge?: () => Promise<Judge>
  readonly attempts?: number
}

/** Exchanges the databases of an operation, or finds that it was done. An undo must seal the operation before. */
export async function swapDatabases(input: SwapInput): Promise<SwapOutcome> {
  for (let attempt = 0; attempt < (input.attempts ?? 5); attempt++) {
    const { door, operation } = await input.journal.learn(input)
    if (!operation) throw gone(input.id)
    const over = alreadyOver(operation, input.direction)
    if (over) {
      // A ghost of the do may have closed and died.
      if (door.state === 'closed') await input.journal.mend(input)
      return over
    }
    await refusePrepared(input.journal, operation)
    // Whoever closed it died, or is a ghost: no judge gets in before it is open again, and the ghost's number is over.
    const mended = door.state === 'closed' && input.openJudge !== undefined && (await input.journal.mend(input))
    const outcome = await attemptSwap(input, operation, door.closing + (mended ? 2 : 1))
    if (outcome) return outcome
  }
  throw new StepbackError({
    type: 'Busy',
    message: 'the databases could not be exchanged: somebody wrote or connected at each attempt; the live one is open',
  })
}

async function attemptSwap(input: SwapInput, operation: Operation, closing: number): Promise<SwapOutcome | undefined> {
  const judge = await input.openJudge?.()
  try {
    await input.armTimer(closing)
    if (!(await input.journal.close({ ...input, closing }))) return undefined
    return await exchange(input, operation, closing, judge)
  } finally {
    await judge?.end()
  }
}

async function exchange(
  input: SwapInput,
  operation: Operation,
  closing: number,
  judge: Judge | undefined,
): Promise<SwapOutcome | undefined> {
  const { journal } = input
  const closedAt = Date.now()
  const { liveOid, newOid } = operation
  const [oid, nextOid] = input.direction === 'there' ? [liveOid, newOid] : [newOid, liveOid]
  let goOn = true
  try {
    await journal.endSessionsOf({ oid, except: judge ? [judge.pid] : [], withinMs: closedWithinMs })
    // Before the judge counts, so that what a late session writes after it shows in the exchange.
    const count = await journal.count(oid)
    if (judge) goOn = await judge.goOn()
    await judge?.end()
    if (goOn) await journal.endSessionsOf({ oid, withinMs: closedWithinMs })
    if (goOn && (await journal.swap({ ...input, closing, count }))) {
      return { outcome: 'done', already: false, liveOid: nextOid, closedMs: Date.now() - closedAt }
    }
  } catch (error) {
    await journal.reopen({ ...input, closing }).catch(() => {})
    // In use, or locked: a session was inside its start. Everything else is for the caller, with the database open.
    if (!hasCode(error, '55006', '55P03')) throw error
    return undefined
  }
  await journal.reopen({ ...input, closing })
  return goOn ? undefined : { outcome: 'held' }
}

function alreadyOver(operation: Operation, direction: Direction): SwapOutcome | undefined {
  const { liveOid, newOid, state } = operation
  const done = { outcome: 'done', already: true, closedMs: 0 } as const
  if (direction === 'there') {
    if (state === 'swapped') return { ...done, liveOid: newOid }
    if (state === 'planned' && !operation.sealed) return undefined
    throw new StepbackError({
      type: 'StepFailed',
      message: `operation "${operation.id}" was given up and is not done again`,
    })
  }
  if (state !== 'swapped') return { ...done, liveOid }
  if (operation.sealed) return undefined
  throw new TypeError(`operation "${operation.id}" must be sealed before it is undone`)
}

// Only a session in that very database can end one, and it will be closed.
async function refusePrepared(journal: Journal, operation: Operation): Promise<void> {
  const prepared = await journal.preparedTransactions(operation.liveName)
  if (prepared === 0) return
  throw new StepbackError({
    type: 'Busy',
    message: `database "${operation.liveName}" has ${prepared} prepared transactions, which keep it from being renamed`,
    hint: 'end them with COMMIT PREPARED or ROLLBACK PREPARED; `select * from pg_prepared_xacts` lists them.',
  })
}

function gone(id: string): StepbackError {
  return new StepbackError({ type: 'StepFailed', message: `the journal has no operation "${id}"` })
}
