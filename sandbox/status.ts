import { findProcess } from './processes.js'
import { openSession } from './session.js'
import { type SandboxPaths } from './paths.js'
import { attempt } from './run.js'
import { projectFilter } from './stack.js'
import type { ProcessName } from './state.js'

export interface SandboxStatus {
  readonly up: boolean
  readonly processes: Partial<Record<ProcessName, { readonly running: boolean; readonly pid: number }>>
  /** Each service's container as Docker describes it, such as `running (healthy)`. */
  readonly services: Readonly<Record<string, string>>
}

/** What of the sandbox runs; changes nothing. `up` is true when all of it does. */
export async function status(options: { readonly root?: string } = {}): Promise<SandboxStatus> {
  const session = await openSession(options.root)
  if (!session) return { up: false, processes: {}, services: {} }
  const known = Object.entries(session.state.processes)
  const entries = await Promise.all(
    known.map(async ([name, it]) => {
      const found = await findProcess(it)
      return [name, { running: found !== undefined, pid: found?.pid ?? it.pid }] as const
    }),
  )
  const services = await listServices(session.paths, session.env)
  const states = Object.values(services)
  const up =
    entries.every(([, it]) => it.running) && states.length > 0 && states.every((it) => it.startsWith('running'))
  return { up, processes: Object.fromEntries(entries), services }
}

async function listServices(paths: SandboxPaths, env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const format = '{{.Label "com.docker.compose.service"}}\t{{.State}}\t{{.Status}}'
  const { stdout } = await attempt(['docker', 'ps', '--all', '--filter', projectFilter(paths), '--format', format], {
    env,
  })
  const lines = stdout.split('\n').filter((line) => line !== '')
  return Object.fromEntries(
    lines
      .map((line) => {
        const [service = '', state = '', text = ''] = line.split('\t')
        const health = /\((healthy|unhealthy|health: starting)\)/.exec(text)?.[0]
        return [service, health ? `${state} ${health}` : state] as const
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}
