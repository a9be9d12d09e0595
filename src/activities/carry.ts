// Rows that come along: tried on a database that goes again, carried into the one that comes, and what did not come along
// listed on the host. Values of rows go through the worker's memory and into that list, and nowhere else.

import { placeLeft } from '../commands/carry.js'
import type { CarryInput, CarryRecord, Counted, DatabaseAddress, Journal } from '../adapters/database.js'
import type { CarryArgs } from '../plan/act.js'
import { type CarriedTable, carriedInWords, chosenTables, lossBehind, withLosses } from '../plan/carry.js'
import { StepbackError } from '../plan/failure.js'
import type { LedgerEntry } from '../plan/ledger.js'
import type { BesideDatabase } from '../plan/manifest.js'
import type { ActDefinition } from './act.js'
import { besideNames, observeServer } from './beside.js'
import { LeftRows, type LeftList } from './carry-left.js'
import { type ActContext, doneAgain } from './context.js'
import { withJournal } from './database-access.js'
import { baselineOf, exposureSince } from './exposure.js'
import { readManifest } from './observe/manifests.js'

/** What came of it, as the journal keeps it beside the transaction that did it. */
export interface CarryResult {
  readonly xid: string
  readonly tables: readonly CarriedTable[]
  /** What the exchange loses all the same, and the counters of the moment at which that was counted. */
  readonly lost: Counted
  readonly left: LeftList | null
}

export const rehearseCarry: ActDefinition<'rehearseCarry'> = {
  jobs: [],
  run: async (context, args) => {
    const carried = await withJournal(context, 'rehearse', async (journal, address) => {
      const counted = await countedNow(context, address, args)
      return await admitted(context, journal, address, async ({ name }) => {
        const leave = async () => undefined
        const tried = await context.deps.database.tryCarry(
          await inputFor(context, address, args, { counted, name, leave }),
        )
        return withLosses(tried, counted.exposure)
      })
    })
    await record(context, args, carried)
    return carriedInWords(carried)
  },
}

export const carryForward: ActDefinition<'carryForward'> = {
  jobs: [],
  run: async (context, args) =>
    await withJournal(context, 'carry', async (journal, address) =>
      inWords(await carry(context, journal, address, args)),
    ),
}

/**
 * Carries, or finds that it was done. `stale`: a carry behind which more was written, which is done again as a whole: the
 * counters are read before the rows are, so what is written meanwhile shows in them.
 */
export async function carry(
  context: ActContext,
  journal: Journal,
  address: DatabaseAddress,
  args: CarryArgs,
  stale?: string,
): Promise<CarryResult> {
  const counted = await countedNow(context, address, args)
  const result = await admitted(context, journal, address, async ({ name, oid }) => {
    const rows = new LeftRows(context)
    try {
      const input = await inputFor(context, address, args, { counted, name, leave: (row) => rows.write(row) })
      const mine = { ...context.operation, database: oid }
      return await context.deps.database.carryRows(input, recordIn(journal, mine, { counted, rows, stale }))
    } finally {
      await rows.abandon()
    }
  })
  await place(context, result)
  return result
}

/** What was carried last, where it was. */
export async function lastCarry(
  context: ActContext,
  journal: Journal,
  database: number,
): Promise<CarryResult | undefined> {
  const carried = (await journal.memory.carried({ ...context.operation, database })).at(-1)
  return carried && { ...(carried.result as Omit<CarryResult, 'xid'>), xid: carried.xid }
}

function inWords({ tables, left }: CarryResult): string {
  const file = left ? `; ${left.rows} listed in ${left.file}, sha256 ${left.sha256}` : ''
  return `${carriedInWords(tables)}${file}`
}

function recordIn(
  journal: Journal,
  mine: ActContext['operation'] & { readonly database: number },
  { counted, rows, stale }: { readonly counted: Counted; readonly rows: LeftRows; readonly stale: string | undefined },
): CarryRecord<CarryResult> {
  return {
    done: async () => {
      const last = (await journal.memory.carried(mine)).at(-1)
      if (!last || last.xid === stale) return undefined
      return { ...(last.result as Omit<CarryResult, 'xid'>), xid: last.xid }
    },
    pristine: async () => (await journal.memory.carried(mine))[0]?.pristine,
    remember: async (xid, pristine, carried) => {
      const tables = withLosses(carried, counted.exposure)
      const lost = { ...counted, exposure: lossBehind(counted.exposure, tables) }
      const result = { tables, lost, left: await rows.close() }
      await journal.memory.rememberCarried({ ...mine, xid, pristine, result })
      return { ...result, xid }
    },
  }
}

/** The database that was built, by name and oid, open for as long as the work takes and closed again. */
async function admitted<T>(
  context: ActContext,
  journal: Journal,
  address: DatabaseAddress,
  work: (built: BesideDatabase) => Promise<T>,
): Promise<T> {
  const { newName: name } = besideNames(context)
  const { databases } = await observeServer(context, address)
  const oid = databases.find((it) => it.name === name)?.oid
  if (oid === undefined) {
    throw new StepbackError({ type: 'StepFailed', message: `the database "${name}", which was built, is not there` })
  }
  const mine = { ...context.operation, name, oid }
  // Nobody but an earlier attempt of this step has any business in it.
  await journal.endSessionsOf({ oid })
  await journal.admit({ ...mine, open: true })
  try {
    return await work({ name, oid })
  } finally {
    await journal.admit({ ...mine, open: false })
  }
}

async function countedNow(context: ActContext, address: DatabaseAddress, args: CarryArgs): Promise<Counted> {
  const live = await context.deps.database.TargetDatabase.connect({
    ...address,
    applicationName: `${address.applicationName}:c`,
  })
  try {
    return await exposureSince(context, address, {
      live,
      point: await readManifest(context, context.restorePoint(args.since ?? args.from)),
      kept: args.since !== undefined,
    })
  } finally {
    await live.end()
  }
}

async function inputFor(
  context: ActContext,
  address: DatabaseAddress,
  args: CarryArgs,
  { counted, name, leave }: { readonly counted: Counted; readonly name: string; readonly leave: CarryInput['leave'] },
): Promise<CarryInput> {
  const live = { ...address, applicationName: `${address.applicationName}:l` }
  const found = await context.deps.database.carryableTables(live)
  const tables = chosenTables(args.tables, found, counted.exposure).map((it) => it.table)
  const into = { ...address, database: name, applicationName: `${address.applicationName}:n` }
  const point = await readManifest(context, context.restorePoint(args.from))
  return { live, into, tables, since: await baselineOf(context, address, point), leave }
}

/** The list of an earlier carry goes where there is none any more. */
async function place(context: ActContext, { xid, left }: CarryResult): Promise<void> {
  const { backups, safety: id } = context
  await context.job(`left.${xid}`, placeLeft({ backups, id, left }), { holds: doneAgain })
}

async function record(context: ActContext, args: CarryArgs, carried: readonly CarriedTable[]): Promise<void> {
  const { from, tables } = args
  const entry: LedgerEntry = { kind: 'rehearsed', run: context.run, restorePoint: from, tables, carried }
  await context.appendLedger(entry)
}
