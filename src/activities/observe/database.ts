import type { Counted } from '../../adapters/database.js'
import { againIfQuick } from '../../adapters/again.js'
import { schemaFingerprint } from '../../commands/database/fingerprint.js'
import type { CarryableTable } from '../../plan/carry.js'
import type { DatabaseFacts } from '../../plan/facts.js'
import type { Manifest } from '../../plan/manifest.js'
import { rowsOf } from '../../plan/exposure.js'
import { StepbackError } from '../../plan/failure.js'
import type { Exposure } from '../../plan/plan.js'
import { messageOf } from '../to-failure.js'
import { type DatabaseUser, withTunnel } from '../database-access.js'
import { builtAmong, copiesAmong, formerAmong } from './copies.js'
import { knownMigrations } from '../known-migrations.js'
import { exposureSince } from '../exposure.js'
import type { Look } from './look.js'

/** The database as it is now, or why it could not be looked at; a target without one has neither. */
export async function observeDatabase(
  look: Look,
  release?: string,
): Promise<{
  readonly facts: DatabaseFacts | null
  readonly error: string | null
  readonly hint?: string | undefined
}> {
  if (!look.target.database) return { facts: null, error: null }
  try {
    // A run that exchanges the database just now closes it for a moment, and ends every session, this one too.
    return await againIfQuick(() => read(look, release))
  } catch (error) {
    return { facts: null, error: messageOf(error), hint: error instanceof StepbackError ? error.hint : undefined }
  }
}

/** What bringing the restore point's database in would lose; null where it has none. */
export async function observeExposure(
  look: Look,
  manifest: Manifest | undefined,
  kept = false,
): Promise<Counted | null> {
  if (!manifest?.database || !look.target.database) return null
  const user = asUser(look)
  return await withTunnel(user, 'exposure', async (address) => {
    const live = await look.deps.database.TargetDatabase.connect(address)
    try {
      return await exposureSince(user, address, { live, point: manifest, kept })
    } finally {
      await live.end()
    }
  })
}

/** Tables of the live database, and by what their rows are known. */
export async function observeCarryable(look: Look): Promise<readonly CarryableTable[]> {
  if (!look.target.database) return []
  return await withTunnel(asUser(look), 'tables', (address) => look.deps.database.carryableTables(address))
}

/** Whether the schema is another one than the restore point's. */
export async function observeSchemaChange(look: Look, manifest: Manifest): Promise<boolean> {
  const { database } = manifest
  if (!database) return false
  return await withTunnel(asUser(look), 'schema', async (address) => {
    const live = await look.deps.database.TargetDatabase.connect(address)
    const sha256 = await live.schemaSha256(schemaFingerprint).finally(() => live.end())
    return sha256 !== database.schemaSha256
  })
}

/** What these migrations' downs would drop, rows and values; null where nobody can tell. */
export async function observeDowns(look: Look, names: readonly string[]): Promise<Exposure | null> {
  const { database } = look.deps
  const { classes } = await knownMigrations(look, { needed: names })
  const dropped = await database.listenToDowns({ migrations: classes, names })
  if (dropped.unclear) return null
  if (dropped.tables.length === 0 && dropped.columns.length === 0) return { total: 0, tables: [] }
  return await withTunnel(asUser(look), 'downs', async (address) => {
    const live = await database.TargetDatabase.connect(address)
    const tables = await live.countDropped(dropped).finally(() => live.end())
    return { total: rowsOf(tables), tables }
  })
}

async function read(
  look: Look,
  release: string | undefined,
): Promise<{ readonly facts: DatabaseFacts | null; readonly error: string | null }> {
  return await withTunnel(asUser(look), 'look', async (address) => {
    const live = await look.deps.database.TargetDatabase.connect(address)
    try {
      const seen = await live.observe()
      const { oid, sizeBytes, applied, preparedTransactions, unrecorded } = seen
      const { classes, code, unusable } = await knownMigrations(look, { needed: applied, release })
      const known = await look.deps.database.describeMigrations(classes)
      return {
        facts: {
          oid,
          copies: copiesAmong(seen, address.database),
          built: builtAmong(seen, address.database),
          former: formerAmong(seen, address.database),
          sizeBytes,
          applied,
          known,
          preparedTransactions,
          roles: seen.roles,
          extensions: seen.available.map((it) => it.name),
          ...(code === null ? {} : { code }),
          ...(unusable.length === 0 ? {} : { unusable }),
          unrecorded,
          ...(look.target.database?.migrations === 'none' ? { othersMigrate: true as const } : {}),
        },
        error: null,
      }
    } finally {
      await live.end()
    }
  })
}

/** A look holds no lease: token 0 is the smallest, so whoever takes the lease may end its session. */
export function asUser(look: Look): DatabaseUser {
  const { deps, target, ssh, inspected } = look
  const environment = async () => look.ofWell(await look.environment())
  return { deps, target, ssh, token: 0, look: (script) => look.look(script), inspected, environment }
}
