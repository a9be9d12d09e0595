import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type SandboxPaths, packageRoot } from './paths.js'
import { type OwnProcess, findProcess, startProcess } from './processes.js'
import { attempt, waitFor } from './run.js'
import type { Ports } from './state.js'

/** The durable development server with its Web UI; its file keeps the history over restarts. */
export async function startTemporal(input: {
  readonly paths: SandboxPaths
  readonly cli: string
  readonly ports: Ports
  readonly known: OwnProcess | undefined
}): Promise<OwnProcess> {
  const { paths, cli, ports } = input
  mkdirSync(paths.temporal, { recursive: true })
  const log = join(paths.logs, 'temporal.log')
  const command = [cli, 'server', 'start-dev']
  command.push('--ip', '127.0.0.1', '--port', String(ports.temporal))
  command.push('--ui-ip', '127.0.0.1', '--ui-port', String(ports.ui))
  command.push('--db-filename', join(paths.temporal, 'temporal.db'), '--log-level', 'warn')
  const started = (await findProcess(input.known)) ?? (await startProcess({ command, log }))
  const address = `127.0.0.1:${ports.temporal}`
  const ready = async () => (await attempt([cli, 'operator', 'cluster', 'health', '--address', address])).code === 0
  await waitFor(`Temporal (see ${log})`, ready, { timeoutMs: 60_000 })
  return started
}

/** The worker, where the command line is built; undefined where it is not. */
export async function startWorker(input: {
  readonly paths: SandboxPaths
  readonly known: OwnProcess | undefined
}): Promise<OwnProcess | undefined> {
  const main = join(packageRoot(), 'dist', 'src', 'cli', 'main.js')
  if (!existsSync(main)) return undefined
  const command = [process.execPath, main, 'worker', '--config', input.paths.config]
  const log = join(input.paths.logs, 'worker.log')
  return (await findProcess(input.known)) ?? startProcess({ command, log })
}

/** Whether a worker polls the task queue: only then a run that is started gets on. */
export async function waitForWorker(input: { readonly cli: string; readonly ports: Ports }): Promise<void> {
  const address = `127.0.0.1:${input.ports.temporal}`
  const describe = ['task-queue', 'describe', '--task-queue', 'stepback', '--address', address, '--output', 'json']
  const polled = async () => {
    const { code, stdout } = await attempt([input.cli, ...describe])
    return code === 0 && /"identity"/.test(stdout)
  }
  await waitFor('worker', polled, { timeoutMs: 30_000, everyMs: 300 })
}
