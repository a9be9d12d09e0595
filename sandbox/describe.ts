import { existsSync, readFileSync } from 'node:fs'
import { databaseUrl } from './database.js'
import { type SandboxPaths, sandboxPaths } from './paths.js'
import { releaseDirectory, releases } from './releases.js'
import { sshFacts } from './ssh.js'
import type { ProcessName, SandboxState } from './state.js'

export interface ProcessEntry {
  readonly pid: number
  readonly command: readonly string[]
  readonly log: string
}

/** What `.sandbox/sandbox.json` says: all that another program needs to use the sandbox. */
export interface Sandbox {
  readonly target: string
  readonly temporal: { readonly address: string; readonly ui: string; readonly namespace: string; readonly cli: string }
  readonly ssh: { readonly host: string; readonly port: number; readonly user: string; readonly identityFile: string }
  readonly directory: string
  readonly backups: string
  readonly api: string
  readonly database: string
  readonly config: string
  readonly releases: Readonly<Record<string, string>>
  readonly processes: Partial<Record<ProcessName, ProcessEntry>>
}

/** The sandbox that is up below this root; undefined where there is none. */
export function readSandbox(root?: string): Sandbox | undefined {
  const { json } = sandboxPaths(root)
  return existsSync(json) ? (JSON.parse(readFileSync(json, 'utf8')) as Sandbox) : undefined
}

export function describe(paths: SandboxPaths, state: SandboxState, cli: string): Sandbox {
  const { ports, password } = state
  const { user, identityFile } = sshFacts(paths)
  const entries = Object.entries(state.processes).map(([name, { pid, command, log }]) => [name, { pid, command, log }])
  return {
    target: 'aria',
    temporal: {
      address: `127.0.0.1:${ports.temporal}`,
      ui: `http://127.0.0.1:${ports.ui}`,
      namespace: 'default',
      cli,
    },
    ssh: { host: '127.0.0.1', port: ports.ssh, user, identityFile },
    directory: paths.directory,
    backups: paths.backups,
    api: `http://127.0.0.1:${ports.api}`,
    database: databaseUrl(ports.db, password),
    config: paths.config,
    releases: Object.fromEntries(releases.map(({ version }) => [version, releaseDirectory(paths, version)])),
    processes: Object.fromEntries(entries) as Sandbox['processes'],
  }
}
