// The commands of a rollback as one plain shell script: those that the product left on the host in its jobs, and plain
// words for what it does without a job. No Temporal, no SSH, no lease, no ledger.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { composeStack } from '../src/activities/context.js'
import { composeArgv, isAccepting } from '../src/commands/compose.js'
import { beforeName, newName } from '../src/commands/database/names.js'
import { type DatabaseAccess, psql, withSql } from '../src/commands/database/programs.js'
import { measureDisks } from '../src/commands/disk.js'
import { hostMemory, serviceMemory } from '../src/commands/memory.js'
import { quote } from '../src/commands/shell.js'
import { migrations } from '../src/migrations/index.js'
import type { Act } from '../src/plan/act.js'
import type { Ground } from './ground.js'
import { untilHealthy, versionAnswers } from './health-script.js'

export interface PlainScript {
  /** The whole rollback. */
  readonly script: string
  /** No part of the rollback: makes room for what the script makes anew. */
  readonly before: string
}

/** When the first job of the run that came last on the host began, in milliseconds since 1970. */
export function firstCommandAt({ target }: Ground): number {
  const { paths } = newestRun(join(target.backups, '.stepback', target.name, 'jobs'))
  return statSync(join(paths[0]!, 'started.1')).mtimeMs
}

/** From the run that came last on the host; it can be run again and again, each time from the same state. */
export async function plainScript(ground: Ground, run: string): Promise<PlainScript> {
  const plan = (await ground.client.plan(run))!
  const jobs = newestRun(join(ground.target.backups, '.stepback', ground.target.name, 'jobs'))
  const lines = await Promise.all(
    plan.steps.map(async ({ act }, step) => {
      const own = jobs.paths.filter((path) => path.includes(`.${step}-${act.name}.do.1.`))
      return own.length > 0
        ? own.map((path) => `/bin/sh ${quote(`${path}/cmd`)} </dev/null >/dev/null`)
        : inWords(ground, act, jobs.run8)
    }),
  )
  const drop = `drop database if exists "${databases(ground, jobs.run8).beforeName}" with (force);`
  return {
    script: ['set -eu', ...lines.flat(), ''].join('\n'),
    before: `${withSql(psql(databaseAccess(ground), 'postgres'), drop)}\n`,
  }
}

/** How a script of the measurements reaches the database. */
export function databaseAccess({ target, sandbox }: Ground): DatabaseAccess {
  const exec = composeArgv(composeStack(target), 'exec', '-T', '-u', 'postgres', target.database!.service)
  return { exec, psqlUser: new URL(sandbox.database).username }
}

/** The job directories of the run that made the newest one, in the order in which they began. */
function newestRun(directory: string): { readonly run8: string; readonly paths: readonly string[] } {
  const began = (path: string) => statSync(join(path, 'cmd')).mtimeMs
  const paths = readdirSync(directory)
    .filter((name) => /^[0-9a-f]{8}\.\d+-\w+\.do\.1\./.test(name))
    .map((name) => join(directory, name))
    .toSorted((a, b) => began(a) - began(b))
  const run8 = paths.at(-1)!.slice(directory.length + 1, directory.length + 9)
  return { run8, paths: paths.filter((path) => path.startsWith(join(directory, `${run8}.`))) }
}

async function inWords(ground: Ground, act: Act, run8: string): Promise<string[]> {
  switch (act.name) {
    case 'swapDatabase':
      return swap(ground, run8)
    case 'migrateDown':
      return [withSql(psql(databaseAccess(ground), databases(ground, run8).live), await downs(act.args.migrations))]
    case 'checkHealth':
      return [untilHealthy(ground.target)]
    case 'checkVersion':
      return [versionAnswers(ground.target, act.args.version)]
    case 'listContainers':
      return ['docker ps --all >/dev/null']
    case 'askDatabase':
      return [`${isAccepting(composeStack(ground.target), act.args.service)} </dev/null`]
    case 'measureMemory':
      return [`sleep ${act.args.settleMs / 1_000}`, ...memory(ground, act.args.service)]
    case 'useSmallerModel':
      return memory(ground, act.args.service)
    case 'measureDisk':
      return [quiet(measureDisks(act.args.places))]
    case 'recordStop':
    case 'recordStart':
    case 'fenceDatabase':
    case 'giveVerdict':
      return []
    default:
      throw new Error(`nothing is known of act "${act.name}" without a job`)
  }
}

/** Memory as it is looked at: of the host, and of the service. */
function memory({ target }: Ground, service: string): string[] {
  return [hostMemory, serviceMemory(target.compose.project, service)].map(quiet)
}

function quiet(script: string): string {
  return `(\n${script}) >/dev/null`
}

function databases({ target }: Ground, run8: string) {
  const { name: database } = target.database!
  return { live: database, newName: newName({ database, run8 }), beforeName: beforeName({ database, run8 }) }
}

// A rename is refused as long as a session has not ended yet.
function swap(ground: Ground, run8: string): string[] {
  const { live, newName: built, beforeName: kept } = databases(ground, run8)
  const inPostgres = psql(databaseAccess(ground), 'postgres')
  const rename = `begin; alter database "${live}" rename to "${kept}"; alter database "${built}" rename to "${live}";
alter database "${live}" allow_connections true; commit;`
  const close = `alter database "${live}" allow_connections false;
select pg_terminate_backend(pid) from pg_stat_activity where datname = '${live}';`
  return [
    `${withSql(`${inPostgres} >/dev/null`, close)}`,
    'swap() {',
    withSql(inPostgres, rename),
    '}',
    'until swap 2>/dev/null; do sleep 0.1; done',
  ]
}

/** What the downs say, as they say it to a database. */
async function downs(names: readonly string[]): Promise<string> {
  const said: string[] = ['begin']
  const listen = { query: async (text: string) => void said.push(text.trim()) }
  for (const name of names) {
    const migration = migrations.map((it) => new it()).find((it) => it.name === name)
    await migration!.down(listen as never)
    said.push(`delete from migrations where name = '${name}'`)
  }
  return [...said, 'commit', ''].join(';\n')
}
