// One target: the look of a run's preflight, behind the connection that it needs, and what a run would find out later.

import type { Deps } from '../../activities/deps.js'
import { findTarget } from '../../config/load.js'
import type { DeployCheck, Target } from '../../config/schema.js'
import type { Finding } from '../../plan/facts.js'
import type { Manifest } from '../../plan/manifest.js'
import type { Unreadable } from '../../plan/shelf.js'
import { findingOr } from './finding.js'

export async function examineTarget(
  deps: Deps,
  name: string,
  meet: (target: Target) => Promise<void>,
): Promise<Finding[]> {
  const { Look } = await import('../../activities/observe/look.js')
  const { observe } = await import('../../activities/observe/facts.js')
  const { observeFitness } = await import('../../activities/observe/fitness.js')
  const { observeRoles } = await import('../../activities/observe/roles.js')
  const { hooks, checks } = findTarget(deps.config, name)
  const reached = await findingOr('ssh', async () => {
    await meet(findTarget(deps.config, name))
    const { ssh } = await Look.at(deps, name)
    return [{ check: 'ssh', ok: true, detail: ssh.where }]
  })
  if (reached.some((finding) => !finding.ok)) return reached
  const looked = await findingOr('look', async () => {
    const look = await Look.at(deps, name)
    const { findings, missingPrograms, manifests, unreadable } = await observe(look, { versions: true })
    return [
      ...findings,
      ...broken(unreadable),
      ...small(name, manifests),
      ...programs('hooks', hooks, missingPrograms, 'on the host'),
    ]
  })
  // Where the look itself failed, or Docker does, the rest would say the same in other words.
  if (looked.some((finding) => !finding.ok && basics.includes(finding.check))) return [...reached, ...looked]
  const roles = await findingOr('roles', async () => await observeRoles(await Look.at(deps, name)))
  const fitness = await findingOr('fitness', async () => await observeFitness(await Look.at(deps, name)))
  return [
    ...reached,
    ...looked,
    ...roles,
    ...fitness,
    ...programs('checks', checks, await missingChecks(deps, checks), 'here'),
  ]
}

const basics = ['look', 'docker', 'compose', 'compose file', 'database']

/** No run is refused for it, and nobody can go back to it. */
function broken(unreadable: readonly Unreadable[] = []): Finding[] {
  const hint = 'put a good copy of it back, or move it and the files of its restore point away.'
  return unreadable.map(({ why }) => ({ check: 'restore points', ok: false, detail: why, hint }))
}

/** Until a person says that it is well, or a later dump is as large as those before. */
function small(target: string, manifests: readonly Manifest[]): Finding[] {
  const newest = manifests.reduce<Manifest | undefined>((a, b) => (a && a.id > b.id ? a : b), undefined)
  if (newest?.small === undefined) return []
  const hint = `look for what is missing; where nothing is: stepback restore-points ${target} prove ${newest.id} --reason "…".`
  return [{ check: 'restore points', ok: false, detail: `of ${newest.id} ${newest.small}`, hint }]
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
