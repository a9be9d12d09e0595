// Going back by a database that is built beside the live one, compared, and exchanged with it; and the way back from there.

import { timerScript } from '../commands/database/journal.js'
import { schemaFingerprint } from '../commands/database/fingerprint.js'
import { type DatabaseAddress, type Direction, type Journal, type Operation } from '../adapters/database.js'
import type { SwapArgs } from '../plan/act.js'
import { readyDatabase } from '../plan/copies.js'
import { StepbackError } from '../plan/failure.js'
import type { BesideDatabase, DatabaseManifest, Manifest } from '../plan/manifest.js'
import type { ActDefinition } from './act.js'
import { amountIn, besideNames, buildBeside, copyBeside, dropBeside, dumpOf, observeServer } from './beside.js'
import { carry, lastCarry } from './carry.js'
import type { ActContext } from './context.js'
import { lastingAccess, withJournal, withTunnel } from './database-access.js'
import { copiesAmong } from './observe/copies.js'
import { readManifest } from './observe/manifests.js'
import { type LossBound, carriedBound, exceeded, lossBound } from './loss-bound.js'

export const restoreDatabase: ActDefinition<'restoreDatabase'> = {
  jobs: ['restore'],
  looksFirst: true,
  run: async (context, { from, copyOf }) => {
    if (copyOf) {
      await copyBeside(context, { of: copyOf, name: besideNames(context).newName, job: 'restore' })
      return `a copy of ${copyOf.name}, which stays as it is`
    }
    const manifest = readManifest(context, context.restorePoint(from))
    if (context.undoing) {
      if (await isAsBefore(context, dumpOf(await manifest))) return 'the database is as it was'
      if (await standingCopy(context, await manifest)) return 'its warm copy stands ready'
    }
    return amountIn(await buildBeside(context, { manifest, name: besideNames(context).newName, job: 'restore' }))
  },
}

export const swapDatabase: ActDefinition<'swapDatabase'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, args) =>
    await withJournal(context, 'swap', async (journal, address) => {
      const mine = context.operation
      const { liveName, beforeName } = besideNames(context)
      const incoming = await incomingName(context, address, args)
      if (incoming === null) return 'there was nothing to swap'
      const source = context.restorePoint(args.from)
      await context.begun
      const operation = await journal.openOperation({ ...mine, liveName, newName: incoming, beforeName, source })
      if (args.ready && args.ready.oid !== operation.newOid) throw another(args.ready)
      const allowed = args.mayLoseRows ?? (context.shown.exposure?.total ?? 0) + context.target.undo.mayLoseRows
      const { outcome, lost } = args.carries
        ? await exchangeCarrying(context, { journal, address, operation, args, mayLoseRows: allowed })
        : await exchangeWithin(context, journal, args.unjudged ? null : lossBound(context, address, args, allowed))
      if (outcome.outcome === 'held') throw exceeded(lost, allowed)
      const closed = outcome.already ? 'was swapped already' : `closed for ${outcome.closedMs} ms`
      return `${closed}; the former one is kept as ${beforeName}`
    }),
}

export const swapDatabaseBack: ActDefinition<'swapDatabaseBack'> = {
  jobs: [],
  run: async (context) =>
    await withJournal(context, 'swapBack', async (journal) => {
      const operation = await journal.seal(context.operation)
      if (operation?.state !== 'swapped') return 'nothing was swapped'
      const outcome = await exchange(context, journal, 'back', null)
      return outcome.outcome === 'done' ? `closed for ${outcome.closedMs} ms` : null
    }),
}

export const dropNewDatabase: ActDefinition<'dropNewDatabase'> = {
  jobs: ['drop'],
  run: async (context) => {
    await dropBeside(context, [besideNames(context).newName])
    return null
  },
}

async function exchangeWithin(context: ActContext, journal: Journal, bound: LossBound | null) {
  const outcome = await exchange(context, journal, 'there', bound)
  return { outcome, lost: bound?.exposure ?? null }
}

/** How often what was written meanwhile is carried, too, before it counts as lost. */
const carryRounds = 3

/**
 * Rows were carried while the database was open. Behind the door only the counters are read: where they say that somebody
 * wrote since, it opens again, and all is carried once more.
 */
async function exchangeCarrying(
  context: ActContext,
  input: {
    readonly journal: Journal
    readonly address: DatabaseAddress
    readonly operation: Operation
    readonly args: SwapArgs
    readonly mayLoseRows: number
  },
) {
  const { journal, address, operation, args } = input
  const tables = args.carries!
  const again = (stale?: string) => carry(context, journal, address, { ...args, tables }, stale)
  let carried = await lastCarry(context, journal, operation.newOid)
  if (!carried && operation.state === 'planned') carried = await again()
  for (let round = 1; ; round++) {
    const mayBeStale = round === carryRounds
    const bound = carriedBound(context, { address, carried, mayBeStale, mayLoseRows: input.mayLoseRows })
    const { outcome, lost } = await exchangeWithin(context, journal, bound)
    if (outcome.outcome === 'done' || !bound.stale || mayBeStale) return { outcome, lost }
    carried = await again(carried?.xid)
  }
}

/** Each closing has a timer of its own on the host, armed before the door closes: a death must not leave it closed. */
async function exchange(context: ActContext, journal: Journal, direction: Direction, bound: LossBound | null) {
  const mine = context.operation
  const access = await lastingAccess(context)
  return await context.deps.database.swapDatabases({
    ...mine,
    journal,
    direction,
    ...(bound ? { openJudge: bound.openJudge } : {}),
    armTimer: (closing) =>
      context.host.armTimer({
        name: `door.${mine.token}.${closing}`,
        script: timerScript({ ...access, target: mine.target, token: mine.token, closing }),
      }),
  })
}

/** An undo does nothing where nothing was done: the migrations that the restore point has, and its schema. */
async function isAsBefore(context: ActContext, database: DatabaseManifest): Promise<boolean> {
  return await withTunnel(context, 'compare', async (address) => {
    const live = await context.deps.database.TargetDatabase.connect(address)
    try {
      const { applied } = await live.observe()
      const same = JSON.stringify(applied) === JSON.stringify(database.migrations.map((it) => it.name))
      return same && (await live.schemaSha256(schemaFingerprint)) === database.schemaSha256
    } finally {
      await live.end()
    }
  })
}

/**
 * What takes the live one's place. An undo takes what was built, else what a proof left; null where nothing was done. That
 * copy stood ready when the act before this one looked: a server that crashed since cannot say that nobody was in it, and
 * then it is built here.
 */
async function incomingName(context: ActContext, address: DatabaseAddress, args: SwapArgs): Promise<string | null> {
  const { newName: built, beforeName: kept } = besideNames(context)
  if (args.ready) return args.ready.name
  if (!context.undoing) return built
  const { databases } = await observeServer(context, address)
  if (databases.some((it) => it.name === built || it.name === kept)) return built
  const manifest = await readManifest(context, context.restorePoint(args.from))
  if (!manifest.database || (await isAsBefore(context, manifest.database))) return null
  const standing = await standingCopy(context, manifest)
  if (standing) return standing.name
  await buildBeside(context, { manifest, name: built, job: 'restore' })
  return built
}

/** The copy that proved the restore point, while nobody has been in it. */
async function standingCopy(context: ActContext, manifest: Manifest): Promise<BesideDatabase | null> {
  const seen = await withTunnel(context, 'copies', (address) => observeServer(context, address))
  const copies = copiesAmong(seen, besideNames(context).liveName)
  const ready = readyDatabase(manifest, { oid: seen.oid, copies })
  return ready?.problem === null ? ready : null
}

function another({ name, oid }: BesideDatabase): StepbackError {
  return new StepbackError({
    type: 'StepFailed',
    message: `the database "${name}" should have oid ${oid}, and is another one by now`,
    hint: 'look at `psql -l` on the host before anything else.',
  })
}
