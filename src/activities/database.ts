// Going back by a database that is built beside the live one, compared, and exchanged with it; and the way back from there.

import { timerScript } from '../commands/database/journal.js'
import { beforeName, newName } from '../commands/database/names.js'
import { schemaFingerprint } from '../commands/database/fingerprint.js'
import { againAfterRestart } from '../commands/database/restart.js'
import { dropDatabase, restoreInto } from '../commands/database/restore.js'
import {
  type Counted,
  type DatabaseAddress,
  type Direction,
  type Journal,
  type Judge,
  type TargetDatabase,
  writesSince,
} from '../adapters/database.js'
import { amountOf, grownBy } from '../plan/exposure.js'
import { StepbackError } from '../plan/failure.js'
import type { DatabaseManifest } from '../plan/manifest.js'
import type { Exposure } from '../plan/plan.js'
import type { ActDefinition } from './act.js'
import { type ActContext, doneAgain } from './context.js'
import { databaseAccess, databaseOf, lastingAccess, withJournal, withTunnel } from './database-access.js'
import { readManifest } from './observe/manifests.js'
import { remembered } from './remembered.js'

export const restoreDatabase: ActDefinition<'restoreDatabase'> = {
  jobs: ['restore'],
  run: async (context, { from }) => {
    const id = context.restorePoint(from)
    const { database } = await readManifest(context, id)
    if (!database?.file) throw new StepbackError({ type: 'StepFailed', message: `restore point "${id}" has no dump` })
    if (context.undoing && (await isAsBefore(context, database))) return 'the database is as it was'
    const { access, applicationName } = await databaseAccess(context, `${context.run8}.restore`)
    const job = restoreInto({
      ...access,
      newDatabase: names(context).newName,
      dumpFile: `${context.backups}/${database.file}`,
      format: database.format,
      properties: database.properties,
      expected: database,
      applicationName,
    })
    const { script, ending } = againAfterRestart(access, job)
    await context.job('restore', script, { ending, holds: doneAgain })
    const rows = database.tables.reduce((sum, table) => sum + table.rows, 0)
    return `${database.tables.length} tables and ${rows} rows, equal to the manifest`
  },
}

export const swapDatabase: ActDefinition<'swapDatabase'> = {
  jobs: [],
  run: async (context, { from, mayLoseRows }) =>
    await withJournal(context, 'swap', async (journal, address) => {
      const mine = context.operation
      if (context.undoing && !(await wasBuilt(context, address))) return 'there was nothing to swap'
      await journal.openOperation({ ...mine, ...names(context) })
      const allowed = mayLoseRows ?? (context.shown.exposure?.total ?? 0) + context.target.undo.mayLoseRows
      const bound = lossBound(context, address, { from, mayLoseRows: allowed })
      const outcome = await exchange(context, journal, 'there', bound)
      if (outcome.outcome === 'held') throw exceeded(bound.exposure, allowed)
      const closed = outcome.already ? 'was swapped already' : `closed for ${outcome.closedMs} ms`
      return `${closed}; the former one is kept as ${names(context).beforeName}`
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
    const { access, applicationName } = await databaseAccess(context, `${context.run8}.drop`)
    const job = dropDatabase({ ...access, databases: [names(context).newName], applicationName })
    const { script, ending } = againAfterRestart(access, job)
    await context.job('drop', script, { ending, holds: doneAgain })
    return null
  },
}

interface LossBound {
  readonly openJudge: () => Promise<Judge>
  exposure: Exposure | null
}

/**
 * What would be lost is known before the door closes: as it was shown, else counted through a session of the run's own.
 * Behind the door that session reads the counters alone, so that the database stays closed no longer than a swap takes.
 */
function lossBound(
  context: ActContext,
  address: DatabaseAddress,
  input: { readonly from: string; readonly mayLoseRows: number },
): LossBound {
  const bound: LossBound = {
    exposure: null,
    openJudge: async () => {
      const applicationName = `${address.applicationName}:c`
      const live = await context.deps.database.TargetDatabase.connect({ ...address, applicationName })
      const counted = await countedBefore(context, address, live, input.from).catch(async (error: unknown) => {
        await live.end()
        throw error
      })
      const goOn = async () => {
        const since = writesSince({ before: counted.counters, after: await live.counters() })
        bound.exposure = since ? grownBy(counted.exposure, since) : null
        return bound.exposure !== null && bound.exposure.total <= input.mayLoseRows
      }
      return { pid: live.pid, goOn, end: () => live.end() }
    },
  }
  return bound
}

/** As it was shown, while the counters of that moment can be compared with those of now. */
async function countedBefore(
  context: ActContext,
  address: DatabaseAddress,
  live: TargetDatabase,
  from: string,
): Promise<Counted> {
  const { exposure, counters } = context.shown
  if (exposure && counters && writesSince({ before: counters, after: await live.counters() })) {
    return { exposure, counters }
  }
  const { id, database } = await readManifest(context, context.restorePoint(from))
  return await live.exposure(database!, await remembered(context, address, id))
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

async function wasBuilt(context: ActContext, address: DatabaseAddress): Promise<boolean> {
  const { newName: built, beforeName: kept } = names(context)
  const live = await context.deps.database.TargetDatabase.connect({
    ...address,
    applicationName: `${address.applicationName}:o`,
  })
  const { databases } = await live.observe().finally(() => live.end())
  return databases.some((it) => it.name === built || it.name === kept)
}

function names(context: ActContext): { liveName: string; newName: string; beforeName: string } {
  const { name: database } = databaseOf(context.target)
  const { run8 } = context
  return { liveName: database, newName: newName({ database, run8 }), beforeName: beforeName({ database, run8 }) }
}

function exceeded(exposure: Exposure | null, mayLoseRows: number): StepbackError {
  return new StepbackError({
    type: 'ExposureExceeded',
    message: `${exposure ? amountOf(exposure) : 'an unknown number of rows'} would be lost, and ${mayLoseRows} are allowed; the database is open again`,
    details: { exposure, asks: 'approval' },
  })
}
