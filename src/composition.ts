// What the activities are given, put together once: the worker runs with it, and `doctor` and `status` look with it.

import type { Client } from '@temporalio/client'
import type { Deps } from './activities/deps.js'
import * as database from './adapters/database.js'
import { HostPool } from './adapters/hosts.js'
import { checkUrl, readField, readText } from './adapters/http.js'
import * as migrations from './adapters/migrations.js'
import { send } from './adapters/outgoing.js'
import { findProgram, runProgram } from './adapters/programs.js'
import { readRelease } from './adapters/release.js'
import { type Runs, temporalRuns } from './adapters/runs.js'
import type { Config } from './config/schema.js'

export interface Composition {
  readonly deps: Deps
  /** Makes the keys of the hosts on the way to a target known, one by one, as a person accepts them. */
  readonly introduce: HostPool['introduce']
  close(): Promise<void>
}

export function compose(input: {
  readonly config: Config
  readonly namespace: string
  /** Left out where nobody asks Temporal who holds a lease. */
  readonly client?: Client
  readonly searchable?: boolean
}): Composition {
  const { config, namespace, client, searchable = false } = input
  const hosts = new HostPool()
  const deps: Deps = {
    config,
    hosts,
    database,
    http: { check: checkUrl, field: readField, text: readText },
    send,
    runs: client ? temporalRuns(client, namespace) : noRuns,
    migrations,
    programs: { run: runProgram, find: findProgram },
    readRelease,
    namespace,
    searchable,
  }
  return { deps, introduce: (...it) => hosts.introduce(...it), close: () => hosts.close() }
}

/** Without Temporal nothing is known about a run, and an unknown one is not a closed one. */
const noRuns: Runs = {
  state: async () => 'unknown',
  cancel: async () => undefined,
  waitsAtGate: async () => false,
  rollbacks: async () => [],
}
