// Databases beside the live one, as acts make, find and drop them.

import { beforeName, newName, warmName } from '../commands/database/names.js'
import { copyWhole } from '../commands/database/rehearsal.js'
import { againAfterRestart } from '../commands/database/restart.js'
import { dropDatabase, leastReserveBytes, restoreInto } from '../commands/database/restore.js'
import type { DatabaseAddress, Observation } from '../adapters/database.js'
import type { Target } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import type { BesideDatabase, DatabaseManifest, Manifest } from '../plan/manifest.js'
import { type ActContext, doneAgain } from './context.js'
import { databaseAccess, databaseOf, withTunnel } from './database-access.js'
import { together } from './together.js'

export interface BesideNames {
  readonly liveName: string
  readonly newName: string
  readonly warmName: string
  readonly beforeName: string
}

/** The live database's name, and those of what the origin makes beside it. */
export function besideNames(context: ActContext): BesideNames {
  const { name: database } = databaseOf(context.target)
  const of = { database, run8: context.run8 }
  return { liveName: database, newName: newName(of), warmName: warmName(of), beforeName: beforeName(of) }
}

/** Restores a dump into a database of that name, and compares all of it; `job` names the job on the host. Returns the dump. */
export async function buildBeside(
  context: ActContext,
  input: { readonly manifest: Manifest | Promise<Manifest>; readonly name: string; readonly job: string },
): Promise<DatabaseManifest> {
  const { job } = input
  const [manifest, { access, applicationName }] = await together([
    input.manifest,
    databaseAccess(context, `${context.run8}.${job}`),
  ])
  const database = dumpOf(manifest)
  const made = restoreInto({
    ...access,
    newDatabase: input.name,
    dumpFile: `${context.backups}/${database.file}`,
    format: database.format,
    properties: database.properties,
    expected: database,
    applicationName,
    reserveBytes: Math.max(leastReserveBytes, reserveOf(context.target)),
  })
  const { script, ending } = againAfterRestart(access, made)
  await context.job(job, script, { ending, holds: doneAgain })
  return database
}

/** Of what a run wants to find free on a disk, what it leaves free while it works. */
export function reserveOf({ disk }: Target): number {
  return disk.freeBytes / 5
}

/** A copy of a database that stands ready, which nobody is in. */
export async function copyBeside(
  context: ActContext,
  input: { readonly of: BesideDatabase; readonly name: string; readonly job: string },
): Promise<void> {
  const { of, name, job } = input
  const properties = await withTunnel(context, 'copy', async (address) => {
    const live = await context.deps.database.TargetDatabase.connect(address)
    return await live.propertiesOf(of).finally(() => live.end())
  })
  const { access, applicationName } = await databaseAccess(context, `${context.run8}.${job}`)
  const made = copyWhole({ ...access, from: of.name, to: name, properties, applicationName })
  const { script, ending } = againAfterRestart(access, made)
  await context.job(job, script, { ending, holds: doneAgain })
}

export async function dropBeside(context: ActContext, databases: readonly string[], job = 'drop'): Promise<void> {
  const { access, applicationName } = await databaseAccess(context, `${context.run8}.${job}`)
  const { script, ending } = againAfterRestart(access, dropDatabase({ ...access, databases, applicationName }))
  await context.job(job, script, { ending, holds: doneAgain })
}

/** What the server has, through a session of its own. */
export async function observeServer(context: ActContext, address: DatabaseAddress): Promise<Observation> {
  const applicationName = `${address.applicationName}:o`
  const live = await context.deps.database.TargetDatabase.connect({ ...address, applicationName })
  return await live.observe().finally(() => live.end())
}

export function dumpOf({ id, database }: Manifest): DatabaseManifest & { readonly file: string } {
  const file = database?.file
  if (file !== undefined) return { ...database!, file }
  throw new StepbackError({ type: 'StepFailed', message: `restore point "${id}" has no dump` })
}

/** In the words that a step shows. */
export function amountIn({ tables }: DatabaseManifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  return `${tables.length} tables and ${rows} rows, equal to the manifest`
}
