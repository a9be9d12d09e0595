import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SandboxPaths } from './paths.js'
import { freePorts } from './ports.js'
import type { OwnProcess } from './processes.js'

const own = ['temporal', 'ui', 'ssh', 'metrics'] as const
const ofStack = ['db', 'api', 'brain', 'web', 'prometheus', 'grafana'] as const
const portNames = [...own, ...ofStack]

export type Ports = Readonly<Record<(typeof portNames)[number], number>>
export type ProcessName = 'temporal' | 'worker' | 'sshd' | 'dockerd'

/** What one sandbox remembers between commands. */
export interface SandboxState {
  readonly ports: Ports
  readonly password: string
  processes: Partial<Record<ProcessName, OwnProcess>>
  /** Whether the stack was brought up once: from then on its containers and files belong to whoever works on it. */
  made: boolean
}

export function readState(paths: SandboxPaths): SandboxState | undefined {
  return existsSync(paths.state) ? (JSON.parse(readFileSync(paths.state, 'utf8')) as SandboxState) : undefined
}

/** The state of this sandbox, begun with free ports and a password of its own where there is none. */
export async function openState(paths: SandboxPaths): Promise<SandboxState> {
  const known = readState(paths)
  if (known) return known
  const free = await freePorts(portNames.length)
  const ports = Object.fromEntries(portNames.map((name, index) => [name, free[index]])) as Ports
  const state: SandboxState = { ports, password: randomBytes(16).toString('hex'), processes: {}, made: false }
  writeState(paths, state)
  return state
}

export function writeState(paths: SandboxPaths, state: SandboxState): void {
  writeFile(paths.state, `${JSON.stringify(state, null, 2)}\n`)
}

/** Written beside and moved into place: who reads meanwhile sees the old text or the new one. */
export function writeFile(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, text, { mode })
  renameSync(`${path}.new`, path)
}
