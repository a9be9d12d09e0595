import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
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
  // With SQLite's own defaults each step of a run waits for the disk a dozen times; no death of the server loses anything so.
  for (const pragma of ['journal_mode=WAL', 'synchronous=NORMAL']) command.push('--sqlite-pragma', pragma)
  const started = (await findProcess(input.known)) ?? (await startProcess({ command, log }))
  const address = `127.0.0.1:${ports.temporal}`
  const ready = async () => (await attempt([cli, 'operator', 'cluster', 'health', '--address', address])).code === 0
  await waitFor(`Temporal (see ${log})`, ready, { timeoutMs: 60_000 })
  return started
}

/** The worker, where the command line is built, and when it is ready; undefined where it is not built. */
export async function startWorker(input: {
  readonly paths: SandboxPaths
  readonly known: OwnProcess | undefined
}): Promise<{ readonly worker: OwnProcess; readonly ready: () => Promise<void> } | undefined> {
  const main = join(packageRoot(), 'dist', 'src', 'cli', 'main.js')
  if (!existsSync(main)) return undefined
  const log = join(input.paths.logs, 'worker.log')
  const found = await findProcess(input.known)
  const said = found ? 0 : sizeOf(log)
  const command = [process.execPath, main, 'worker', '--config', input.paths.config]
  const worker = found ?? (await startProcess({ command, log }))
  // It says so itself; the server tells some seconds later who asks it for work.
  const ready = () => readFileSync(log).subarray(said).includes('worker ready')
  return { worker, ready: () => waitFor('worker', ready, { timeoutMs: 30_000 }) }
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0
}
