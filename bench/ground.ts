// The ground that is measured on: a sandbox of its own, with a worker of the measurement's own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse, stringify } from 'yaml'
import { loadConfig, findTarget } from '../src/config/load.js'
import type { Target } from '../src/config/schema.js'
import { StepbackClient } from '../src/client.js'
import { type Sandbox, type Session, down, openSession, up } from '../sandbox/index.js'
import { packageRoot } from '../sandbox/paths.js'
import { stopProcess } from '../sandbox/processes.js'
import { run } from '../sandbox/run.js'
import type { Say } from './measurement.js'

export class Ground {
  /** Brings a sandbox up for the work, and takes it down whatever comes of it. */
  static async during<T>(say: Say, work: (ground: Ground) => Promise<T>, size?: number): Promise<T> {
    const root = mkdtempSync(join(tmpdir(), 'stepback-bench-'))
    // Asked to stop, the measurement still takes its sandbox along.
    const leave = () => void down({ root }).finally(() => process.exit(1))
    process.once('SIGINT', leave).once('SIGTERM', leave)
    try {
      const sandbox = await up({ root, progress: say, ...(size === undefined ? {} : { size }) })
      const session = (await openSession(root))!
      await stopProcess(session.state.processes.worker)
      const client = await StepbackClient.connect(sandbox.temporal)
      return await work(new Ground(sandbox, session, client)).finally(() => client.close())
    } finally {
      process.off('SIGINT', leave).off('SIGTERM', leave)
      await down({ root })
    }
  }

  readonly target: Target
  readonly #config: string

  private constructor(
    readonly sandbox: Sandbox,
    readonly session: Session,
    readonly client: StepbackClient,
  ) {
    this.#config = `${sandbox.config}.bench`
    writeFileSync(this.#config, unwatched(readFileSync(sandbox.config, 'utf8')))
    this.target = findTarget(loadConfig(this.#config), sandbox.target)
  }

  /** A fresh worker for the work; `pid` is its process. */
  async withWorker<T>(work: (pid: number) => Promise<T>): Promise<T> {
    const main = join(packageRoot(), 'dist/src/cli/main.js')
    const env = { ...process.env, STEPBACK_LOG_LEVEL: 'warn' }
    const words = [main, 'worker', '--config', this.#config]
    const worker = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(worker, 'exit')
    try {
      await ready(worker)
      return await work(worker.pid!)
    } finally {
      worker.kill('SIGTERM')
      await ended
    }
  }

  /** To 2.1.0, whatever runs now: the state that every measured way starts from. */
  async deploy(): Promise<void> {
    const version = '2.1.0'
    const release = this.sandbox.releases[version]!
    await this.#ends(await this.client.startDeploy({ target: this.target.name, version, release, redeploy: true }))
  }

  /** A whole rollback by the product; its run. */
  async rollback(strategy: 'auto' | 'restore'): Promise<string> {
    const run = await this.client.startRollback({ target: this.target.name, strategy })
    await this.#ends(run)
    return run
  }

  /** What a rollback would do: a dry run. */
  async planOnly(): Promise<void> {
    await this.#ends(await this.client.startRollback({ target: this.target.name, dryRun: true }))
  }

  /** A script on the host, by the shell that the product uses; what it printed. */
  async shell(script: string): Promise<string> {
    const { stdout } = await run(['/bin/sh', '-s'], { env: this.session.env, input: script })
    return stdout
  }

  async #ends(name: string): Promise<void> {
    const ended = await this.client.result(name)
    if (ended.outcome !== 'done') throw new Error(`run "${name}" ended as ${ended.outcome}: ${JSON.stringify(ended)}`)
  }
}

/** Seconds that the work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1_000
}

// The watch of a deploy is not what is measured, and nobody is there to approve.
function unwatched(text: string): string {
  const config = parse(text) as { targets: Record<string, object> }
  const shorter = { watch: { window: '1s', interval: '1s' }, approval: { rollback: 'never' } }
  const targets = Object.entries(config.targets).map(([name, target]) => [name, { ...target, ...shorter }])
  return stringify({ ...config, targets: Object.fromEntries(targets) })
}

async function ready(worker: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: worker.stdout! })) {
    if (line.includes('worker ready')) return void worker.stdout!.resume()
  }
  throw new Error('the worker ended before it was ready')
}
