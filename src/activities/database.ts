// The acts on a database. What changes it is a job under the lease, or a transaction that checks the token.

import { createJournal, timerScript } from '../commands/database/journal.js'
import { beforeName, newName, sessionPrefix } from '../commands/database/names.js'
import { schemaFingerprint } from '../commands/database/fingerprint.js'
import { dropDatabase, restoreInto } from '../commands/database/restore.js'
import { command, quote, script } from '../commands/shell.js'
import type { Baseline, DatabaseAddress, Direction, Journal, Judge, MigrationRunner } from '../adapters/database.js'
import type { Target } from '../config/schema.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import type { DatabaseManifest } from '../plan/manifest.js'
import type { Exposure } from '../plan/plan.js'
import { revisionOf } from '../plan/revision.js'
import type { ActDefinition } from './act.js'
import { type ActContext, ownRun, runDigits } from './context.js'
import {
  type DatabaseUser,
  databaseAccess,
  databaseOf,
  lastingAccess,
  withJournal,
  withTunnel,
} from './database-access.js'
import type { Deps } from './deps.js'
import { readManifest } from './observe/manifests.js'

const doneAgain = async () => false

export const migrateUp: ActDefinition<'migrateUp'> = {
  jobs: ['baseline'],
  run: async (context, { migrations }) =>
    await withMigrations(context, 'migrateUp', async (runner, checkFence, address) => {
      const applied = await runner.up({ names: migrations, checkFence })
      // Only right behind the migration: later, what the application wrote meanwhile would not count as a loss.
      if (applied.length > 0) await keepBaseline(context, address)
      return applied.length > 0 ? `applied ${applied.map(revisionOf).join(', ')}` : 'was applied already'
    }),
}

export const migrateDown: ActDefinition<'migrateDown'> = {
  jobs: [],
  run: async (context, { migrations, schemaOf }) => {
    const sha256 = schemaOf && (await readManifest(context, context.restorePoint(schemaOf))).database?.schemaSha256
    const expected = sha256 ? { expected: { ...schemaFingerprint, sha256 } } : {}
    return await withMigrations(context, 'migrateDown', async (runner, checkFence) => {
      const reverted = await runner.down({ names: migrations, checkFence, ...expected })
      return reverted.length > 0 ? `reverted ${reverted.map(revisionOf).join(', ')}` : 'nothing was left to revert'
    })
  },
}

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
    await context.job('restore', job.script, { ending: job.ending, holds: doneAgain })
    const rows = database.tables.reduce((sum, table) => sum + table.rows, 0)
    return `${database.tables.length} tables and ${rows} rows, equal to the manifest`
  },
}

export const swapDatabase: ActDefinition<'swapDatabase'> = {
  jobs: [],
  run: async (context, { from, mayLoseRows }) =>
    await withJournal(context, 'swap', async (journal, address) => {
      const mine = operationOf(context)
      if (context.undoing && !(await wasBuilt(context, address))) return 'there was nothing to swap'
      await journal.openOperation({ ...mine, ...names(context) })
      const allowed = mayLoseRows ?? context.shownRows + context.target.undo.mayLoseRows
      const bound = await lossBound(context, address, { from, mayLoseRows: allowed })
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
      const operation = await journal.seal(operationOf(context))
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
    await context.job('drop', job.script, { ending: job.ending, holds: doneAgain })
    return null
  },
}

/** Part of taking the lease: the journal knows the token before any session of an older one is ended, and none is left. */
export async function raiseDatabaseFence(deps: Deps, target: Target, token: number): Promise<void> {
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
  const id = `${runDigits(ownRun())}.journal.${token}`
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

async function withMigrations<T>(
  context: ActContext,
  what: string,
  work: (runner: MigrationRunner, checkFence: () => Promise<unknown>, address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const migrations = await context.deps.migrations(context.target)
  const lockTimeoutMs = durationMs(databaseOf(context.target).lockTimeout)
  return await withJournal(context, what, async (journal, address) => {
    const runner = await context.deps.database.MigrationRunner.connect({ ...address, migrations, lockTimeoutMs })
    try {
      return await work(runner, () => journal.checkFence(operationOf(context)), address)
    } finally {
      await runner.end()
    }
  })
}

interface LossBound {
  readonly openJudge: () => Promise<Judge>
  exposure: Exposure | null
}

/** Counts what would be lost through a session that is opened before the door closes, when nobody else can write. */
async function lossBound(
  context: ActContext,
  address: DatabaseAddress,
  input: { readonly from: string; readonly mayLoseRows: number },
): Promise<LossBound> {
  const baseline = await readBaseline(context, input.from)
  const session = { ...address, applicationName: `${address.applicationName}:c` }
  const bound: LossBound = {
    exposure: null,
    openJudge: async () => {
      const live = await context.deps.database.TargetDatabase.connect(session)
      const goOn = async () => {
        bound.exposure = await live.exposure(baseline)
        return bound.exposure.total <= input.mayLoseRows
      }
      return { pid: live.pid, goOn, end: () => live.end() }
    },
  }
  return bound
}

/** Each closing has a timer of its own on the host, armed before the door closes: a death must not leave it closed. */
async function exchange(context: ActContext, journal: Journal, direction: Direction, bound: LossBound | null) {
  const mine = operationOf(context)
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

/** What the application alone wrote: since the migration, or, where that moment is not known, since the restore point. */
async function readBaseline(context: ActContext, from: string): Promise<Baseline> {
  const stdout = await context.look(`cat ${quote(baselineFile(context))} 2>/dev/null || true\n`)
  if (stdout !== '') return JSON.parse(stdout) as Baseline
  const { database } = await readManifest(context, context.restorePoint(from))
  return database!
}

async function keepBaseline(context: ActContext, address: DatabaseAddress): Promise<void> {
  const live = await context.deps.database.TargetDatabase.connect({
    ...address,
    applicationName: `${address.applicationName}:b`,
  })
  const baseline = await live.baseline().finally(() => live.end())
  const file = baselineFile(context)
  await context.job(
    'baseline',
    script(
      'umask 077',
      command('mkdir', '-p', context.staging),
      `printf %s ${quote(JSON.stringify(baseline))} >${quote(`${file}.part`)}`,
      command('mv', '-f', `${file}.part`, file),
    ),
    { holds: doneAgain },
  )
}

function baselineFile(context: ActContext): string {
  return `${context.staging}/baseline.json`
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

function operationOf(context: ActContext): { target: string; token: number; id: string } {
  return { target: context.target.name, token: context.token, id: context.run8 }
}

function exceeded(exposure: Exposure | null, mayLoseRows: number): StepbackError {
  return new StepbackError({
    type: 'ExposureExceeded',
    message: `${exposure?.total ?? 'unknown'} rows would be lost, and ${mayLoseRows} are allowed; the database is open again`,
    details: { exposure },
  })
}
