// Which configuration a command means, and the session with Temporal that it leads to.

import { existsSync } from 'node:fs'
import { StepbackClient } from '../client.js'
import { loadConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import type { Io } from './io.js'

export interface Globals {
  readonly config?: string
  readonly json?: boolean
}

const ownFile = 'stepback.yaml'
const sandboxFile = '.sandbox/stepback.yaml'

/** `--config`, then $STEPBACK_CONFIG, then ./stepback.yaml, then the sandbox's; nothing where there is none. */
export function findConfig(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  return given ?? (env['STEPBACK_CONFIG'] || [ownFile, sandboxFile].find(exists))
}

/** The configuration of a command that cannot do without: `InvalidConfiguration` where there is none. */
export function requireConfig(globals: Globals, io: Io): { readonly config: Config; readonly path: string } {
  const path = findConfig(globals.config, io.env)
  if (path) return { config: loadConfig(path), path }
  throw new StepbackError({
    type: 'InvalidConfiguration',
    message: `no configuration: neither --config, nor STEPBACK_CONFIG, nor ./${ownFile}`,
    hint: 'write one from a look at what runs: stepback init <host>; or name the file with --config.',
  })
}

export interface Session {
  readonly client: StepbackClient
  /** Where the Web UI shows a run, or null where nobody said where it is. */
  readonly url: (run: string) => string | null
}

/** Connects as the configuration says, and without one as the Temporal profile says. */
export async function withSession<T>(globals: Globals, io: Io, act: (session: Session) => Promise<T>): Promise<T> {
  const path = findConfig(globals.config, io.env)
  const temporal = path ? loadConfig(path).temporal : undefined
  const client = await StepbackClient.connect(temporal)
  const ui = temporal?.ui?.replace(/\/+$/, '')
  const url = (run: string) =>
    ui ? `${ui}/namespaces/${encodeURIComponent(client.namespace)}/workflows/${encodeURIComponent(run)}` : null
  try {
    return await act({ client, url })
  } finally {
    await client.close()
  }
}
