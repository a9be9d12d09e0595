// Migrations up and down, each batch under a lock and the token of the lease.

import { keepCode } from '../commands/migrations.js'
import { schemaFingerprint } from '../commands/database/fingerprint.js'
import type { ExpectedSchema, Journal, MigrationClass, MigrationRunner } from '../adapters/database.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import { revisionOf } from '../plan/revision.js'
import type { ActDefinition } from './act.js'
import { type ActContext, doneAgain } from './context.js'
import { asMigrations, databaseOf, withJournalAt, withTunnel } from './database-access.js'
import { boundLosses } from './down-losses.js'
import { knownMigrations } from './known-migrations.js'
import { readManifest } from './observe/manifests.js'

export const migrateUp: ActDefinition<'migrateUp'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { migrations }) => {
    if (migrations.length === 0) return null
    return await withMigrations(context, 'migrateUp', migrations, async (runner, journal) => {
      const mine = { ...context.operation, database: databaseOf(context.target).name }
      const applied = await runner.up({
        names: migrations,
        checkFence: () => journal.checkFence(mine),
        // What it writes itself is no loss, should the database go back: the application's writes are told from it.
        keepWrites: (writes) => journal.memory.rememberMigration({ ...mine, writes }),
      })
      return applied.length > 0 ? `applied ${applied.map(revisionOf).join(', ')}` : 'was applied already'
    })
  },
}

export const migrateDown: ActDefinition<'migrateDown'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { migrations, schemaOf, mayLoseRows }) => {
    const expecting = expectedSchema(context, schemaOf)
    expecting.catch(() => {}) // told below, where it is awaited
    return await withMigrations(context, 'migrateDown', migrations, async (runner, journal, classes) => {
      const checkFence = () => journal.checkFence(context.operation)
      const bounded =
        mayLoseRows === undefined
          ? {}
          : { losses: await boundLosses(context, journal, { names: migrations, classes, mayLoseRows }) }
      const reverted = await runner.down({ names: migrations, checkFence, ...(await expecting), ...bounded })
      return reverted.length > 0 ? `reverted ${reverted.map(revisionOf).join(', ')}` : 'nothing was left to revert'
    })
  },
}

async function expectedSchema(
  context: ActContext,
  schemaOf: string | undefined,
): Promise<{ readonly expected?: ExpectedSchema }> {
  const sha256 = schemaOf && (await readManifest(context, context.restorePoint(schemaOf))).database?.schemaSha256
  return sha256 ? { expected: { ...schemaFingerprint, sha256 } } : {}
}

/** Under the name of their content, for the day when the release that brought them is gone from the configuration. */
export const keepMigrations: ActDefinition<'keepMigrations'> = {
  jobs: ['keep'],
  run: async (context, { sha256, release }) => {
    const code = await context.deps.migrations.read(context.target, release)
    if (code?.sha256 !== sha256) throw changedSincePlanned()
    const script = keepCode({ stateDirectory: context.host.stateDirectory, sha256, text: code.text })
    await context.job('keep', script, { holds: doneAgain })
    return sha256.slice(0, 12)
  },
}

function changedSincePlanned(): StepbackError {
  return new StepbackError({
    type: 'StepFailed',
    message: 'the compiled migrations changed since the plan was made',
    hint: 'deploy again, from a directory that nobody writes to.',
  })
}

async function withMigrations<T>(
  context: ActContext,
  what: string,
  names: readonly string[],
  work: (runner: MigrationRunner, journal: Journal, classes: readonly MigrationClass[]) => Promise<T>,
): Promise<T> {
  const { classes: migrations } = await knownMigrations(context, { needed: names })
  const lockTimeoutMs = durationMs(databaseOf(context.target).lockTimeout)
  const { MigrationRunner } = context.deps.database
  return await withTunnel(context, what, async (address) => {
    // Both at once: connecting is most of what a short migration takes.
    const connecting = asMigrations(context, address).then((as) =>
      MigrationRunner.connect({ ...as, migrations, lockTimeoutMs }),
    )
    connecting.catch(() => {})
    try {
      return await withJournalAt(context, address, async (journal) => {
        const runner = await connecting
        await context.begun
        return await work(runner, journal, migrations)
      })
    } finally {
      await connecting.then(
        (runner) => runner.end(),
        () => {},
      )
    }
  })
}
