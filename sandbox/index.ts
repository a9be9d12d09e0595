// The sandbox: a real target on the own machine. Everything of it lies below one directory and listens on loopback.

import { mkdirSync } from 'node:fs'
import { renderConfig } from './config.js'
import { fill, grow } from './database.js'
import { type Sandbox, describe } from './describe.js'
import { configureClient, dockerVariables, importImage, startDockerd } from './docker.js'
import { install } from './install/index.js'
import { baseImage } from './install/image.js'
import { type SandboxPaths, sandboxPaths } from './paths.js'
import { type Progress, timed } from './progress.js'
import { startSshd } from './ssh.js'
import { buildUpstream, compose, hasContainers, layOut, otherOwner, startStack } from './stack.js'
import { type SandboxState, openState, writeFile, writeState } from './state.js'
import { startTemporal, startWorker } from './temporal.js'

export { type Sandbox, readSandbox } from './describe.js'
export { down } from './down.js'
export { breakIt, mend } from './misbehave.js'
export { type Progress } from './progress.js'
export { type SandboxStatus, status } from './status.js'
export { sandboxPaths } from './paths.js'
export { type Session, openSession } from './session.js'

export interface UpOptions {
  /** The size in bytes that the database is filled to. */
  readonly size?: number
  /** Changes the configuration before it is written and the worker reads it. */
  readonly configure?: (config: string) => string
  /** How often the database and the brain are probed by their containers; each time a program starts. */
  readonly probeEvery?: string
  readonly progress?: Progress
  readonly root?: string
}

/** Brings up what is missing and leaves the rest alone; safe to call again at any time. */
export async function up(options: UpOptions = {}): Promise<Sandbox> {
  const { progress = () => {}, configure = (config: string) => config } = options
  const paths = sandboxPaths(options.root)
  const state = await openState(paths)
  const tools = await install(progress, state.processes.dockerd !== undefined)
  mkdirSync(paths.logs, { recursive: true })
  const remember = (name: keyof SandboxState['processes'], it: SandboxState['processes'][typeof name]) => {
    if (it) state.processes[name] = it
    else delete state.processes[name]
    writeState(paths, state)
  }
  const { processes, ports } = state

  const server = timed(progress, 'Temporal server and Web UI', async (detail) => {
    remember('temporal', await startTemporal({ paths, cli: tools.temporal, ports, known: processes.temporal }))
    detail(`http://127.0.0.1:${ports.ui}`)
  })
  // awaited below: a failure there must not end the process while the engine is being started
  server.catch(() => {})

  configureClient(paths, tools.docker)
  const variables = dockerVariables(paths, tools.docker)
  const env = { ...process.env, ...variables }
  const { dockerd } = tools.docker
  if (dockerd) {
    await timed(progress, 'Docker Engine of the sandbox', async () => {
      remember('dockerd', await startDockerd(paths, { ...tools.docker, dockerd }, processes.dockerd))
    })
  }
  await timed(progress, 'SSH server of the sandbox', async (detail) => {
    remember('sshd', await startSshd({ paths, tools, port: ports.ssh, variables, known: processes.sshd }))
    detail(`127.0.0.1:${ports.ssh}`)
  })
  await timed(progress, 'images', async () => {
    await importImage(tools.baseTarball, baseImage, env)
    await buildUpstream(env)
  })
  await startTarget(paths, state, env, options)
  await server

  writeFile(paths.config, configure(renderConfig(paths, ports)))
  await timed(progress, 'worker', async (detail) => {
    const started = await startWorker({ paths, known: processes.worker })
    remember('worker', started?.worker)
    if (!started) return detail('not built')
    await started.ready().catch(() => detail(`not ready yet, see ${started.worker.log}`))
  })
  const sandbox = describe(paths, state, tools.temporal)
  writeFile(paths.json, `${JSON.stringify(sandbox, null, 2)}\n`)
  return sandbox
}

/**
 * Makes the stack once. Later it is left as it is found, stopped services too: a run may have stopped them, and is
 * working on their database. Only a stack without any container is started again.
 */
async function startTarget(paths: SandboxPaths, state: SandboxState, env: NodeJS.ProcessEnv, options: UpOptions) {
  const { progress = () => {}, size, probeEvery } = options
  const other = await otherOwner(paths, env)
  if (other) throw new Error(`another sandbox runs on this engine, from "${other}"\nhint: take that one down first.`)
  if (!state.made) {
    layOut(paths, state, probeEvery)
    await timed(progress, 'database with its rows', async () => {
      await compose(paths, env, ['up', '--detach', '--no-recreate', '--wait', 'aria-db'])
      await fill(paths, state, env)
    })
  }
  if (!state.made || !(await hasContainers(paths, env))) {
    await timed(progress, 'services of Aria', () => startStack(paths, env))
    state.made = true
    writeState(paths, state)
  }
  if (size) await timed(progress, `database of ${size} bytes`, () => grow(paths, env, size, progress))
}
