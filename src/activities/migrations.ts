// Migrations up and down, each batch under a lock and the token of the lease.

import { schemaFingerprint } from '../commands/database/fingerprint.js'
import type { DatabaseAddress, MigrationRunner } from '../adapters/database.js'
import { durationMs } from '../plan/duration.js'
import { revisionOf } from '../plan/revision.js'
import type { ActDefinition } from './act.js'
import { keepBaseline } from './baseline.js'
import type { ActContext } from './context.js'
import { databaseOf, withJournal } from './database-access.js'
import { readManifest } from './observe/manifests.js'

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
      return await work(runner, () => journal.checkFence(context.operation), address)
    } finally {
      await runner.end()
    }
  })
}
