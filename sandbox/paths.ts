import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHash } from 'node:crypto'

export type SandboxPaths = ReturnType<typeof sandboxPaths>

/** Where everything of one sandbox lies: below `.sandbox` of the current directory, or below another root. */
export function sandboxPaths(root = process.env['STEPBACK_SANDBOX'] ?? '.sandbox') {
  const base = resolve(root)
  const directory = join(base, 'host', 'aria')
  const id = createHash('sha256').update(base).digest('hex').slice(0, 8)
  return {
    root: base,
    /** The Compose project: a sandbox at another place than the usual one may share its engine. */
    project: basename(base) === '.sandbox' ? 'aria-sandbox' : `aria-sandbox-${id}`,
    json: join(base, 'sandbox.json'),
    state: join(base, 'state.json'),
    config: join(base, 'stepback.yaml'),
    directory,
    backups: join(directory, 'backups'),
    releases: join(base, 'releases'),
    control: join(base, 'control'),
    logs: join(base, 'logs'),
    ssh: join(base, 'ssh'),
    temporal: join(base, 'temporal'),
    docker: join(base, 'docker'),
    /** Sockets lie here and not below the root: a socket's path may have about 100 characters only. */
    run: join('/run', `stepback-${id}`),
  }
}

/** What outlives a sandbox: downloaded programs and the base image, shared by all checkouts of this user. */
export function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return process.env['STEPBACK_CACHE'] || join(base, 'stepback')
}

/** The package's root, from its sources as well as from its compiled files. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!isPackage(directory)) directory = dirname(directory)
  return directory
}

/** The stack's files: beside the sources, and copied beside the compiled files. */
export function stackFiles(): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'stack')
}

function isPackage(directory: string): boolean {
  const file = join(directory, 'package.json')
  return dirname(directory) === directory || (existsSync(file) && readFileSync(file, 'utf8').includes('"stepback"'))
}
