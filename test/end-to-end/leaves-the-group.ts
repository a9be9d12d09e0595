// What a job starts through `docker exec` is no child of it: it outlives its client, and only the job's ending reaches it.

import { loadConfig, findTarget } from '../../src/config/load.js'
import { HostPool } from '../../src/adapters/hosts.js'
import type { Holder } from '../../src/adapters/host.js'
import { endingOf } from '../../src/commands/database/ending.js'
import { command } from '../../src/commands/shell.js'

/** A run takes the lease once. */
let held = 0

/** Holds the lease of the sandbox's target for as long as the work takes. */
export async function underLease<T>(
  configFile: string,
  work: (input: {
    readonly pool: HostPool
    readonly token: number
    readonly look: (script: string) => Promise<string>
  }) => Promise<T>,
  as: Partial<Holder> = {},
): Promise<T> {
  const pool = new HostPool()
  const host = pool.host(findTarget(loadConfig(configFile), 'aria'))
  const runId = `run-${process.pid}-${++held}`
  const holder: Holder = { workflowId: 'a-test', runId, namespace: 'default', kind: 'deploy', ...as }
  const got = await host.acquire({ holder, mayTake: async () => undefined })
  if (got.outcome !== 'acquired') throw new Error(`the lease is ${got.outcome}`)
  try {
    return await work({ pool, token: got.token, look: async (script) => (await host.look({ script })).stdout })
  } finally {
    await host.release({ token: got.token, holder })
    await pool.close()
  }
}

/** A session of the database that would go on for minutes, named as the steps of stepback name theirs. */
export function sleepingSession(input: { readonly container: string; readonly name: string }): {
  readonly script: string
  readonly ending: string
} {
  const exec = ['docker', 'exec', '-i', '-u', 'postgres', '-e', `PGAPPNAME=${input.name}`, input.container]
  const psql = command(...exec, 'psql', '-X', '-U', 'aria', '-d', 'postgres', '-c', 'select pg_sleep(600)')
  return { script: `${psql}\n`, ending: endingOf({ exec, psqlUser: 'aria' }, input.name) }
}
