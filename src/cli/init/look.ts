// From a host to what is found of one project on it.

import type { AcceptHostKey } from '../../adapters/hosts.js'
import type { Found, FoundSsh } from '../../config/draft/found.js'
import { StepbackError } from '../../plan/failure.js'
import type { Io } from '../io.js'
import { visible } from '../view/visible.js'

export async function lookAround(input: {
  readonly reach: FoundSsh
  readonly accept: AcceptHostKey
  readonly io: Io
  readonly project?: string
  readonly target?: string
}): Promise<Found> {
  const { compose } = await import('../../composition.js')
  const { filesOf, listProjects } = await import('../../activities/observe/projects.js')
  const { observeProject } = await import('../../activities/observe/project.js')
  const { knownHosts, ...rest } = input.reach
  const reachable = {
    name: '',
    ssh: { ...rest, ...(knownHosts && { knownHosts: [...knownHosts] }) },
  }
  const { deps, introduce, close } = compose({
    config: {
      temporal: { taskQueue: '', histories: '' },
      people: {},
      notifications: {},
      metrics: { address: '', every: '' },
      targets: {},
    },
    namespace: '',
  })
  try {
    await introduce(reachable, input.accept)
    const ssh = await deps.hosts.ssh(reachable)
    const projects = await listProjects(ssh)
    const project = await choose([...projects.keys()].toSorted(), ssh.where, input)
    const files = await filesOf(ssh, projects.get(project)!)
    return await observeProject({ deps, ssh, files, target: input.target ?? project, given: input.reach })
  } finally {
    await close()
  }
}

async function choose(
  projects: readonly string[],
  where: string,
  { project, io }: { readonly project?: string; readonly io: Io },
): Promise<string> {
  const [only, ...others] = projects
  if (only === undefined) {
    throw new StepbackError({
      type: 'Refused',
      message: `no Compose project has a container on '${where}'`,
      hint: 'start it once by hand: docker compose up --detach',
    })
  }
  const named = project ?? (others.length === 0 ? only : await ask(projects, io))
  if (projects.includes(named)) return named
  throw new StepbackError({
    type: 'InvalidRequest',
    message: `${named === '' ? 'which Compose project is meant?' : `no Compose project "${named}" is there;`} '${where}' has ${projects.join(', ')}`,
    hint: 'name it with --project.',
  })
}

async function ask(projects: readonly string[], { ask: put }: Io): Promise<string> {
  if (!put) return ''
  return (await put(`Which Compose project? ${projects.map(visible).join(', ')}\n> `)).trim()
}
