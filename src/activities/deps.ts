// What the activities are given: the configuration, and the adapters that touch the world, by type only.

import type { Config, HealthCheck, Target } from '../config/schema.js'
import type { Host, Holder } from '../adapters/host.js'
import type { HealthReport } from '../plan/progress.js'
import type { MigrationClass } from '../adapters/database.js'
import type { Release } from '../adapters/release.js'
import type { SshConnection } from '../adapters/ssh.js'

export interface Deps {
  readonly config: Config
  readonly hosts: Hosts
  readonly http: Http
  readonly runs: Runs
  readonly database: DatabaseAdapter
  /** The migration classes that the configuration names for a target. */
  readonly migrations: (target: Target) => Promise<readonly MigrationClass[]>
  readonly readRelease: (input: {
    readonly directory: string
    readonly protected: readonly string[]
  }) => Promise<Release>
  readonly namespace: string
  /** Whether the server knows the search attributes. */
  readonly searchable: boolean
}

/** PostgreSQL and TypeORM, as the adapter's own module. */
export type DatabaseAdapter = typeof import('../adapters/database.js')

/** One connection and one client of the host's truth for each target, for the life of the worker. */
export interface Hosts {
  host(target: Target): Host
  ssh(target: Target): Promise<SshConnection>
}

export interface Http {
  /** One health check by URL, asked from the host itself. */
  check(ssh: SshConnection, check: HealthCheck & { readonly url: string }): Promise<HealthReport>
  /** The text of one field of a JSON answer, or null where there is none. */
  field(ssh: SshConnection, input: { readonly url: string; readonly field: string }): Promise<string | null>
}

/** What Temporal says about a holder of the lease. */
export interface Runs {
  /** An unknown answer is not a closed one. */
  state(holder: Holder): Promise<'open' | 'closed' | 'unknown'>
  cancel(holder: Holder): Promise<void>
  waitsAtGate(holder: Holder): Promise<boolean>
}
