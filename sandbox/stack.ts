import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { composeFile } from './config.js'
import { hasImage } from './docker.js'
import { baseImage } from './install/image.js'
import { type SandboxPaths, stackFiles } from './paths.js'
import { firstRelease, releaseDirectory, writeReleases } from './releases.js'
import { attempt, run, type RunResult } from './run.js'
import type { SandboxState } from './state.js'

/** Lays out the project directory as it stands after the first deploy by hand; what is there already stays. */
export function layOut(paths: SandboxPaths, state: SandboxState, probeEvery?: string): void {
  writeReleases(paths)
  mkdirSync(paths.control, { recursive: true })
  if (existsSync(join(paths.directory, '.env'))) return
  for (const directory of ['aria_memories/logs', 'backups']) {
    mkdirSync(join(paths.directory, directory), { recursive: true, mode: directory === 'backups' ? 0o700 : 0o755 })
  }
  cpSync(releaseDirectory(paths, firstRelease.version), paths.directory, { recursive: true })
  cpSync(join(stackFiles(), 'host'), paths.directory, { recursive: true })
  writeFileSync(join(paths.directory, 'aria_memories/logs/2026-11-01-first-light.md'), '# First light\n\nAlles grün.\n')
  writeFileSync(join(paths.directory, 'deploy.log'), '')
  // last: its presence says that the rest is there
  writeFileSync(join(paths.directory, '.env'), environmentFile(paths, state, probeEvery), { mode: 0o600 })
}

/** Every call names project, directory, files and environment: without them Compose would start a second stack. */
export function composeCommand(paths: SandboxPaths): string[] {
  const command = ['docker', 'compose', '--project-name', paths.project, '--project-directory', paths.directory]
  command.push('--file', join(paths.directory, composeFile), '--env-file', join(paths.directory, '.env'))
  return command
}

export function compose(paths: SandboxPaths, env: NodeJS.ProcessEnv, args: readonly string[], input?: string) {
  return run([...composeCommand(paths), ...args], { env, ...(input !== undefined && { input }) })
}

/** The images of the services that Aria takes from others: made from the base image, named by their contents. */
export async function buildUpstream(env: NodeJS.ProcessEnv): Promise<void> {
  for (const name of upstreamNames) {
    const image = upstreamImage(name)
    if (await hasImage(image, env)) continue
    const context = join(stackFiles(), 'upstream', name)
    await run(['docker', 'build', '--quiet', '--build-arg', `BASE=${baseImage}`, '--tag', image, context], { env })
  }
}

/** Builds what has no image yet, starts what does not run, and waits until all of it is healthy. */
export async function startStack(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<RunResult> {
  return compose(paths, env, ['up', '--detach', '--no-recreate', '--wait', '--wait-timeout', '120'])
}

/** The directory of another checkout whose sandbox runs under our project name on a shared engine, if there is one. */
export async function otherOwner(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const format = '{{.Label "com.docker.compose.project.working_dir"}}'
  const { stdout } = await attempt(['docker', 'ps', '--all', '--filter', projectFilter(paths), '--format', format], {
    env,
  })
  return stdout.split('\n').find((directory) => directory !== '' && directory !== paths.directory)
}

export async function hasContainers(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<boolean> {
  const list = ['docker', 'ps', '--all', '--quiet', '--filter', projectFilter(paths)]
  return (await run(list, { env })).stdout.trim() !== ''
}

export function projectFilter(paths: SandboxPaths): string {
  return `label=com.docker.compose.project=${paths.project}`
}

export const sandboxImages = () => [baseImage, ...upstreamNames.map(upstreamImage)]

const upstreamNames = ['postgres', 'services'] as const

function upstreamImage(name: (typeof upstreamNames)[number]): string {
  const context = join(stackFiles(), 'upstream', name)
  const hash = createHash('sha256').update(baseImage)
  for (const file of readdirSync(context).toSorted()) hash.update(file).update(readFileSync(join(context, file)))
  return `stepback-sandbox/${name}:${hash.digest('hex').slice(0, 12)}`
}

function environmentFile(paths: SandboxPaths, { ports, password }: SandboxState, probeEvery?: string): string {
  return [
    '# Aria Blue',
    'POSTGRES_USER=aria',
    `DB_PASSWORD=${password}`,
    'OLLAMA_MODEL=qwen3:32b',
    `ARIA_MOTTO='Grüße, "Aria" — it costs $5 & more'`,
    '',
    `ARIA_HOME=${quoted(paths.directory)}`,
    `ARIA_CONTROL=${quoted(paths.control)}`,
    `ARIA_BASE_IMAGE=${baseImage}`,
    `ARIA_POSTGRES_IMAGE=${upstreamImage('postgres')}`,
    `ARIA_SERVICES_IMAGE=${upstreamImage('services')}`,
    '',
    ...(['db', 'api', 'brain', 'web', 'prometheus', 'grafana'] as const).map(
      (name) => `${name.toUpperCase()}_PORT=${ports[name]}`,
    ),
    ...(probeEvery === undefined ? [] : [`ARIA_PROBE_EVERY=${probeEvery}`]),
    '',
  ].join('\n')
}

/** A value of an environment file as it is: a sandbox may lie in a directory with spaces, quotes and dollars. */
function quoted(value: string): string {
  return `"${value.replaceAll(/["\\$]/g, '\\$&')}"`
}
