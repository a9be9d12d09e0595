// Migrations are tried up and down on a copy of the database that proved the restore point, one after the other.

import { Context } from '@temporalio/activity'
import { copyDatabase, parseSight, seeDatabase } from '../commands/database/rehearsal.js'
import type { DatabaseAddress, MigrationClass } from '../adapters/database.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import type { Manifest, Rehearsed } from '../plan/manifest.js'
import { type Sight, lossesBetween } from '../plan/rehearsal.js'
import { revisionOf } from '../plan/revision.js'
import { besideNames, dropBeside } from './beside.js'
import { type ActContext, doneAgain } from './context.js'
import { asMigrations, databaseAccess, databaseOf, withTunnel } from './database-access.js'
import { knownMigrations } from './known-migrations.js'
import { messageOf } from './to-failure.js'

interface RehearsalInput {
  /** The database that proved the restore point. */
  readonly copyOf: string
  readonly manifest: Manifest
  readonly migrations: readonly string[]
  /** The directory of the release that brings them. */
  readonly release?: string | undefined
}

interface Rehearsal {
  readonly rehearsed: readonly Rehearsed[]
  readonly words: readonly string[]
}

/** A job is done once, and a copy that a dead attempt had tried something on is none: each attempt makes its own. */
const maxAttempts = 3
const copyJob = (attempt: number) => `copy${attempt}`
const uncopyJob = (attempt: number) => `uncopy${attempt}`
const jobsUntil = (attempt: number) =>
  Array.from({ length: attempt }, (_, index) => [copyJob(index + 1), uncopyJob(index + 1)]).flat()
/** One more than there are attempts: whatever died, something still drops the copy. */
const lastAttempt = maxAttempts + 1
export const rehearsalJobs: readonly string[] = jobsUntil(lastAttempt)
const ownAttempt = () => Math.min(Context.current().info.attempt, lastAttempt)

/**
 * Each migration is applied, reverted, and applied again for the next one to find; what is another behind that than
 * before is what its down loses. One that fails ends the rehearsal; one that cannot be held says so, and costs nothing else.
 */
export async function rehearse(context: ActContext, input: RehearsalInput): Promise<Rehearsal> {
  const attempt = ownAttempt()
  if (input.migrations.length === 0) return { rehearsed: [], words: [] }
  try {
    await context.endJobs(jobsUntil(attempt - 1))
    const rehearsed = await onCopy(context, input, attempt)
    return { rehearsed, words: rehearsed.map(verdictInWords) }
  } catch (error) {
    if (!(error instanceof StepbackError) || error.type !== 'StepFailed') throw error
    const [why] = error.message.split('\n')
    return { rehearsed: [], words: [`its migrations could not be tried: ${why}`] }
  }
}

/** Behind a proof that stands: another attempt may have been at work on a copy meanwhile, and died there. */
export async function endRehearsals(context: ActContext): Promise<void> {
  const attempt = ownAttempt()
  if (attempt === 1) return
  await context.endJobs(jobsUntil(attempt - 1))
  await dropBeside(context, [besideNames(context).newName], uncopyJob(attempt))
}

async function onCopy(context: ActContext, input: RehearsalInput, attempt: number): Promise<readonly Rehearsed[]> {
  const { newName: copy } = besideNames(context)
  const { access, applicationName } = await databaseAccess(context, `${context.run8}.rehearsal`)
  const { owner } = input.manifest.database!.properties
  const made = copyDatabase({ ...access, from: input.copyOf, to: copy, owner, applicationName })
  try {
    if (attempt === lastAttempt) throw new StepbackError({ type: 'StepFailed', message: 'its attempts died' })
    await context.job(copyJob(attempt), made.script, { ending: made.ending, holds: doneAgain })
    return await withTunnel(context, 'rehearsal', async (address) => {
      const own = { ...(await asMigrations(context, address)), database: copy }
      const see = async () => parseSight(await context.look(seeDatabase(access, copy)))
      return await tryEach(context, own, see, input)
    })
  } finally {
    await dropBeside(context, [copy], uncopyJob(attempt))
  }
}

async function tryEach(
  context: ActContext,
  address: DatabaseAddress,
  see: () => Promise<Sight>,
  { migrations: names, release }: RehearsalInput,
): Promise<readonly Rehearsed[]> {
  const { classes } = await knownMigrations(context, { needed: names, release })
  const rehearsed: Rehearsed[] = []
  let before = await see()
  for (const name of names) {
    const verdict = await tryOne(context, address, { classes, name, before, see })
    rehearsed.push(verdict)
    if (verdict.verdict === 'fails' || name === names.at(-1)) break
    await migrate(context, address, classes, (runner, checkFence) => runner.up({ names: [name], checkFence }))
    before = await see()
  }
  return rehearsed
}

async function tryOne(
  context: ActContext,
  address: DatabaseAddress,
  input: {
    readonly classes: readonly MigrationClass[]
    readonly name: string
    readonly before: Sight
    readonly see: () => Promise<Sight>
  },
): Promise<Rehearsed> {
  const { classes, name } = input
  const names = [name]
  try {
    await migrate(context, address, classes, (runner, checkFence) => runner.up({ names, checkFence }))
    await migrate(context, address, classes, (runner, checkFence) => runner.down({ names, checkFence }))
  } catch (error) {
    context.signal.throwIfAborted()
    return { migration: name, verdict: 'fails', detail: messageOf(error).split('\n')[0]! }
  }
  const losses = lossesBetween(input.before, await input.see())
  if (losses.length === 0) return { migration: name, verdict: 'reversible' }
  return { migration: name, verdict: 'loses', detail: losses.join('; ') }
}

type Runner = Awaited<ReturnType<ActContext['deps']['database']['MigrationRunner']['connect']>>

/** The copy is this run's alone, so its lease is what counts. */
async function migrate(
  context: ActContext,
  address: DatabaseAddress,
  migrations: readonly MigrationClass[],
  work: (runner: Runner, checkFence: () => Promise<void>) => Promise<unknown>,
): Promise<void> {
  const lockTimeoutMs = durationMs(databaseOf(context.target).lockTimeout)
  const runner = await context.deps.database.MigrationRunner.connect({ ...address, migrations, lockTimeoutMs })
  try {
    await work(runner, () => context.ensureLease())
  } finally {
    await runner.end()
  }
}

/** `a007 is reversible`, `a009 loses column messages.kind (12 values)`. */
export function verdictInWords({ migration, verdict, detail }: Rehearsed): string {
  const words = { reversible: 'is reversible', loses: detail ?? 'loses something', fails: `fails: ${detail}` }
  return `${revisionOf(migration)} ${words[verdict]}`
}
