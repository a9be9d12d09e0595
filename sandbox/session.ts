import { dockerVariables } from './docker.js'
import { type DockerTools, dockerTools } from './install/docker.js'
import { type SandboxPaths, sandboxPaths } from './paths.js'
import { type SandboxState, readState } from './state.js'

/** What a command on an existing sandbox works with. */
export interface Session {
  readonly paths: SandboxPaths
  readonly state: SandboxState
  readonly tools: DockerTools
  /** The environment that leads `docker` to the sandbox's engine. */
  readonly env: NodeJS.ProcessEnv
}

/** Opens the sandbox below this root; undefined where there is none. */
export async function openSession(root?: string): Promise<Session | undefined> {
  const paths = sandboxPaths(root)
  const state = readState(paths)
  if (!state) return undefined
  const tools = await dockerTools(state.processes.dockerd !== undefined)
  return { paths, state, tools, env: { ...process.env, ...dockerVariables(paths, tools) } }
}

export async function requireSession(root?: string): Promise<Session> {
  const session = await openSession(root)
  if (session) return session
  throw new Error(`no sandbox below "${sandboxPaths(root).root}"\nhint: bring one up with "stepback sandbox up".`)
}
