// The moment right behind a deploy's migrations: what the application writes is counted from there, not the migration's own writes.

import { command, quote, script } from '../commands/shell.js'
import type { Baseline, DatabaseAddress } from '../adapters/database.js'
import { type ActContext, doneAgain } from './context.js'
import { readManifest } from './observe/manifests.js'

/** Written by a job of the step that migrated, into the run's own staging directory. */
export async function keepBaseline(context: ActContext, address: DatabaseAddress): Promise<void> {
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

/** What the application alone wrote: since the migration, or, where that moment is not known, since the restore point. */
export async function readBaseline(context: ActContext, from: string): Promise<Baseline> {
  const stdout = await context.look(`cat ${quote(baselineFile(context))} 2>/dev/null || true\n`)
  if (stdout !== '') return JSON.parse(stdout) as Baseline
  const { database } = await readManifest(context, context.restorePoint(from))
  return database!
}
