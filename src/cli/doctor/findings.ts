// Everything that a run needs, looked at without changing it. What cannot be looked at is a finding, too.

import { StepbackClient } from '../../client.js'
import type { Deps } from '../../activities/deps.js'
import type { Config, DeployCheck, Target } from '../../config/schema.js'
import { findTarget } from '../../config/load.js'
import type { Finding } from '../../plan/facts.js'
import type { Unreadable } from '../../plan/shelf.js'
import { StepbackError } from '../../plan/failure.js'

export interface Findings {
  /** Null for what does not belong to a target. */
  readonly target: string | null
  readonly findings: readonly Finding[]
}

export async function examine(input: {
  readonly config: Config
  readonly path: string
  readonly targets: readonly string[]
  readonly deps: Deps
  /** Connects, and makes a key known that a person accepts. */
  readonly meet: (target: Target) => Promise<void>
}): Promise<Findings[]> {
  const { config, path, targets, deps, meet } = input
  const configuration: Finding = { check: 'configuration', ok: true, detail: path }
  const [temporal, ...stacks] = await Promise.all([
    examineTemporal(config),
    ...targets.map(async (target) => ({ target, findings: await examineTarget(deps, target, meet) })),
  ])
  return [{ target: null, findings: [configuration, ...temporal] }, ...stacks]
}

async function examineTemporal(config: Config): Promise<Finding[]> {
  return await findingOr('temporal', async () => {
    const client = await StepbackClient.connect(config.temporal)
    try {
      const workers = await client.workers()
      return [
        {
          check: 'temporal',
          ok: true,
          detail: [`answers at ${client.address}`, `namespace ${client.namespace}`, ...client.means].join(', '),
        },
        workers > 0
          ? { check: 'worker', ok: true, detail: `polls ${client.taskQueue}` }
          : {
              check: 'worker',
              ok: false,
              detail: `none polls ${client.taskQueue}`,
              hint: 'start one: stepback worker.',
            },
      ]
    } finally {
      await client.close()
    }
  })
}

/** The look of a run's preflight, behind the connection that it needs. */
async function examineTarget(deps: Deps, name: string, meet: (target: Target) => Promise<void>): Promise<Finding[]> {
  const { Look } = await import('../../activities/observe/look.js')
  const { observe } = await import('../../activities/observe/facts.js')
  const { observeRoles } = await import('../../activities/observe/roles.js')
  const { hooks, checks } = findTarget(deps.config, name)
  const reached = await findingOr('ssh', async () => {
    await meet(findTarget(deps.config, name))
    const { ssh } = await Look.at(deps, name)
    return [{ check: 'ssh', ok: true, detail: ssh.where }]
  })
  if (reached.some((finding) => !finding.ok)) return reached
  const looked = await findingOr('look', async () => {
    const { findings, missingPrograms, unreadable } = await observe(await Look.at(deps, name))
    return [...findings, ...broken(unreadable), ...programs('hooks', hooks, missingPrograms, 'on the host')]
  })
  const roles = await findingOr('roles', async () => await observeRoles(await Look.at(deps, name)))
  return [...reached, ...looked, ...roles, ...programs('checks', checks, await missingChecks(deps, checks), 'here')]
}

/** No run is refused for it, and nobody can go back to it. */
function broken(unreadable: readonly Unreadable[] = []): Finding[] {
  const hint = 'put a good copy of it back, or move it and the files of its restore point away.'
  return unreadable.map(({ why }) => ({ check: 'restore points', ok: false, detail: why, hint }))
}

/** A program with a path of its own is looked for in a release, which is not there yet. */
async function missingChecks({ programs }: Deps, checks: readonly DeployCheck[]): Promise<string[]> {
  const names = checks.map(({ command }) => command[0]!).filter((it) => !it.includes('/') || it.startsWith('/'))
  const found = await Promise.all(names.map(async (it) => ((await programs.find(it, '/')) ? [] : [it])))
  return found.flat()
}

function programs(
  check: string,
  used: readonly { readonly name: string }[],
  missing: readonly string[],
  where: string,
): Finding[] {
  if (used.length === 0) return []
  if (missing.length === 0) return [{ check, ok: true, detail: used.map((it) => it.name).join(', ') }]
  const detail = `no ${missing.join(', ')} ${where}`
  return [{ check, ok: false, detail, hint: 'install it, or mend the command in the configuration.' }]
}

async function findingOr(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    return [findingOf(check, error)]
  }
}

/** An error as a finding: its hint is kept apart from what it says. */
export function findingOf(check: string, error: unknown): Finding {
  const hint = error instanceof StepbackError ? error.hint : undefined
  const [detail = ''] = (error instanceof Error ? error.message : String(error)).split('\nhint: ')
  return { check, ok: false, detail, ...(hint ? { hint } : {}) }
}
