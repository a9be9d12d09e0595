// What the activities are given: the configuration, and the adapters that touch the world, by type only.

import type { HostPool } from '../adapters/hosts.js'
import type { checkUrl, readField, readText } from '../adapters/http.js'
import type { send } from '../adapters/outgoing.js'
import type { findProgram, runProgram } from '../adapters/programs.js'
import type { readRelease } from '../adapters/release.js'
import type { Runs } from '../adapters/runs.js'
import type { Config } from '../config/schema.js'

export interface Deps {
  readonly config: Config
  /** One connection and one client of the host's truth for each target, for the life of the worker. */
  readonly hosts: Pick<HostPool, 'host' | 'ssh'>
  readonly http: { readonly check: typeof checkUrl; readonly field: typeof readField; readonly text: typeof readText }
  /** To the outside, where notices go. */
  readonly send: typeof send
  readonly runs: Runs
  /** PostgreSQL and TypeORM, as the adapter's own module. */
  readonly database: typeof import('../adapters/database.js')
  /** Compiled migrations: reading and loading them, as the adapter's own module. */
  readonly migrations: typeof import('../adapters/migrations.js')
  readonly programs: { readonly run: typeof runProgram; readonly find: typeof findProgram }
  readonly readRelease: typeof readRelease
  readonly namespace: string
  /** Whether the server knows the search attributes. */
  readonly searchable: boolean
}
