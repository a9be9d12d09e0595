import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { SandboxPaths } from './paths.js'
import { compose } from './stack.js'
import { writeFile } from './state.js'

/** Each kind of fault with the service that it is meant for, where none is named. */
export const faults = {
  'crash-loop': 'aria-brain',
  'error-rate': 'aria-api',
  hang: 'aria-api',
  unhealthy: 'aria-api',
  /** It looks for its database where there is none. */
  'no-database': 'aria-api',
  memory: 'ollama',
  database: 'aria-db',
} as const

export type FaultKind = keyof typeof faults

/** A fault made on purpose. It is bound to `version`, so that another release mends it, as it would a real one. */
export interface Fault {
  readonly kind: FaultKind
  readonly service: string
  readonly version: string
}

export async function cause(paths: SandboxPaths, env: NodeJS.ProcessEnv, fault: Fault): Promise<void> {
  if (fault.kind === 'database') {
    await compose(paths, env, ['stop', fault.service])
    return
  }
  mkdirSync(paths.control, { recursive: true })
  // readable by whatever user the service runs as
  writeFile(join(paths.control, `${fault.service}.json`), `${JSON.stringify(fault)}\n`, 0o644)
}

/** Takes every fault back. Containers that were stopped by hand stay so, but for the database. */
export async function undoFaults(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<void> {
  for (const file of readdirSync(paths.control)) rmSync(join(paths.control, file))
  await compose(paths, env, ['start', 'aria-db'])
}

export function isFaultKind(kind: string): kind is FaultKind {
  return Object.hasOwn(faults, kind)
}
