// What a release brings, beside what is there: whatever of it can refuse a deploy is found here.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Release } from '../../adapters/release.js'
import { fitFiles } from '../../commands/files.js'
import { command } from '../../commands/shell.js'
import type { ReleaseFacts } from '../../plan/facts.js'
import { StepbackError } from '../../plan/failure.js'
import type { FileChange } from '../../plan/plan.js'
import { ensureAllowed, linkEnds } from '../../plan/release.js'
import type { DeployRequest } from '../../plan/request.js'
import { composeStack, said } from '../context.js'
import { observeEnvironment } from './environment.js'
import { composeProblem, modelOf } from './facts.js'
import { changeByRelease, isAmong } from './file-changes.js'
import type { Look } from './look.js'
import { askWith, hashWith } from './resulting.js'

export interface Brought {
  readonly facts: ReleaseFacts
  /** Of the database's definition in the files as they would be; null where nobody can tell. */
  readonly hash: string | null
}

/** The release's files, and the stack as Compose will read it with them. */
export async function observeRelease(look: Look, request: DeployRequest): Promise<Brought | null> {
  if (request.release === undefined) return null
  const release = await look.deps.readRelease({ directory: request.release, limits: look.target.release })
  ensureAllowed(release, look.target.protected)
  await ensureFits(look, release)
  const stack = composeStack(look.target)
  const own = release.files.filter((file) => stack.files.includes(file.path) || file.path === stack.envFile)
  const replaced = await Promise.all(
    own.map(async ({ path }) => ({
      path,
      print: command('printf', '%s', await readFile(join(release.directory, path), 'utf8')),
    })),
  )
  const [config, hash, changes] = await Promise.all([
    askWith(look, replaced),
    hashWith(look, replaced),
    readChanges(look, release),
  ])
  if (config.exitCode !== 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `docker compose cannot read the compose file of release "${request.release}": ${composeProblem(config)}`,
      hint: 'mend the release; nothing was changed.',
    })
  }
  const paths = release.files.map((file) => file.path)
  const migrateTo = paths.includes(releaseFile) ? await readMigrateTo(join(release.directory, releaseFile)) : null
  const env = own.find((file) => file.path === stack.envFile)
  const whose = `release "${request.release}"`
  const environment = env
    ? await observeEnvironment(look, {
        text: await readFile(join(release.directory, env.path), 'utf8'),
        keep: [],
        whose,
      })
    : null
  const model = modelOf(look, config)
  const { sha256 } = release
  const facts = { directory: release.directory, sha256, paths, model, migrateTo, environment, changes }
  return { facts, hash }
}

/** How configured files change, as many of them as a person reads. */
async function readChanges(look: Look, { directory, files }: Release): Promise<FileChange[]> {
  const { compose, managed } = look.target
  const own = files.filter(({ path, kind }) => kind === undefined && isAmong(path, [...compose.files, ...managed]))
  const changes = own.slice(0, 20).map((it) => changeByRelease(look, { ...it, file: join(directory, it.path) }))
  return (await Promise.all(changes)).filter((it) => it !== null)
}

/** What is on the host may stand in its way: a link on the way, a directory in the place of a file, and the reverse. */
async function ensureFits(look: Look, { directory, files }: Release): Promise<void> {
  const found = await look.try(fitFiles({ directory: look.target.directory, files, ends: linkEnds(files) }))
  if (found.exitCode === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `release "${directory}" does not fit into "${look.target.directory}"${said(found.stderr)}`,
    hint: 'move what stands there out of the way, or mend the release; nothing was changed.',
  })
}

/** Where a release says which revision its code is written for: `{ "migrateTo": "<revision>" }`; other keys are its own. */
const releaseFile = 'release.json'

async function readMigrateTo(file: string): Promise<string | null> {
  try {
    const { migrateTo } = JSON.parse(await readFile(file, 'utf8')) as { readonly migrateTo?: unknown }
    return typeof migrateTo === 'string' ? migrateTo : null
  } catch (cause) {
    throw new StepbackError({ type: 'Refused', message: `"${file}" is no JSON: ${(cause as Error).message}` })
  }
}
