// What the activities are given in the place of SSH, HTTP and PostgreSQL: one simulated host for each target.

import type { Deps } from '../../src/activities/deps.js'
import { onceMore } from '../../src/adapters/again.js'
import { Host } from '../../src/adapters/host.js'
import type { SshConnection } from '../../src/adapters/ssh.js'
import { type Config, type Target, configSchema } from '../../src/config/schema.js'
import { SimulatedConnection, SimulatedPool } from './connection.js'
import type { Faults } from './faults.js'
import type { SimulatedHost } from './host.js'
import { project, release, released } from './stack.js'

export class World {
  readonly #pools = new Map<string, { readonly pool: SimulatedPool; readonly host: Host }>()
  readonly #targets: Record<string, Omit<Target, 'name'>> = {}

  add(host: SimulatedHost, faults: Faults): void {
    const pool = new SimulatedPool(host, faults)
    const ssh = async () => (await pool.ssh()).asSsh
    this.#targets[host.name] = target
    this.#pools.set(host.name, { pool, host: new Host({ ssh, stateDirectory: `/backups/.stepback/${host.name}` }) })
  }

  remove({ name }: SimulatedHost): void {
    delete this.#targets[name]
    this.#pools.delete(name)
  }

  /** The host's truth, as a run sees it. */
  host(name: string): Host {
    return this.#pools.get(name)!.host
  }

  get deps(): Deps {
    const config = { ...configuration, targets: this.#targets } as Config
    return {
      config,
      hosts: {
        host: (it) => this.host(it.name),
        ssh: async (it) => (await this.#pools.get(it.name)!.pool.ssh()).asSsh,
      },
      http: { check, field, text: async () => null },
      send: async () => '',
      runs: {
        state: async () => 'open',
        cancel: async () => undefined,
        waitsAtGate: async () => false,
        rollbacks: async () => [],
      },
      database: undefined as never,
      migrations: undefined as never,
      programs: undefined as never,
      readRelease: async ({ directory }) => ({ directory, sha256: release.sha256, files: releaseFiles }),
      namespace: 'default',
      searchable: false,
    }
  }
}

export function connectionOf({ ssh }: { readonly ssh: SshConnection }): SimulatedConnection {
  return ssh as unknown as SimulatedConnection
}

export function hostOf(user: { readonly ssh: SshConnection }): SimulatedHost {
  return connectionOf(user).host
}

const releaseFiles = Object.keys(released).map((path) => ({
  path,
  kind: 'file' as const,
  sha256: 'aa',
  bytes: 1,
  mode: '0644',
}))

/** A question that got no answer is what the real one makes of it: not healthy, and no version. */
const check: Deps['http']['check'] = async (ssh, { name }) => {
  const connection = connectionOf({ ssh })
  try {
    const healthy = await onceMore(() => connection.command(`check ${name}`, async () => connection.host.healthy))
    return { check: name, healthy, detail: healthy ? 'status 200' : 'status 503' }
  } catch (error) {
    return { check: name, healthy: false, detail: `no answer: ${(error as Error).message}` }
  }
}

const field: Deps['http']['field'] = async (ssh) => {
  const connection = connectionOf({ ssh })
  const ask = () => connection.command('version', async () => connection.host.version)
  return await onceMore(ask).catch(() => null)
}

const configuration = configSchema.parse({
  targets: {
    any: {
      ssh: { host: '127.0.0.1', user: 'nobody' },
      directory: '/srv/shop',
      backups: '/backups',
      compose: { project, files: ['docker-compose.yml'] },
      services: { application: ['api', 'worker', 'web'] },
      logs: { service: 'worker' },
      health: {
        checks: [
          { name: 'api', url: 'http://127.0.0.1/health' },
          { name: 'web', url: 'http://127.0.0.1/' },
        ],
        timeout: '5s',
        interval: '5ms',
      },
      version: { url: 'http://127.0.0.1/version' },
      watch: { window: '20ms', interval: '5ms' },
      emergency: { reserveBytes: 0 },
    },
  },
})
const target = configuration.targets['any']!
