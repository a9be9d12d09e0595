// The ground that is measured on: a sandbox of its own, with a worker of the measurement's own.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { loadConfig, findTarget } from '../src/config/load.js'
import type { Config, Target } from '../src/config/schema.js'
import type { ServiceImage } from '../src/plan/act.js'
import { parseManifest } from '../src/plan/manifest.js'
import type { Procedure } from '../src/plan/request.js'
import { type RollbackInput, type RunResult, StepbackClient } from '../src/client.js'
import { type Sandbox, type Session, down, openSession, up } from '../sandbox/index.js'
import { packageRoot } from '../sandbox/paths.js'
import { stopProcess } from '../sandbox/processes.js'
import { run } from '../sandbox/run.js'
import type { Say } from './measurement.js'

/** Longer than any run with 1 GB on a busy machine. */
const endsWithinMs = 10 * 60_000

export class Ground {
  /** Brings a sandbox up for the work, and takes it down whatever comes of it. */
  static async during<T>(say: Say, work: (ground: Ground) => Promise<T>, size?: number): Promise<T> {
    const root = mkdtempSync(join(tmpdir(), 'stepback-bench-'))
    // Asked to stop, once or again, the measurement still takes its sandbox along.
    let leaving: Promise<void> | undefined
    const leave = () => void (leaving ??= down({ root }).finally(() => process.exit(1)))
    process.on('SIGINT', leave).on('SIGTERM', leave)
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

  readonly config: Config
  readonly target: Target
  /** Of the measured target, as commands name it. */
  readonly configFile: string

  private constructor(
    readonly sandbox: Sandbox,
    readonly session: Session,
    readonly client: StepbackClient,
  ) {
    this.configFile = `${sandbox.config}.bench`
    writeFileSync(this.configFile, unwatched(readFileSync(sandbox.config, 'utf8')))
    this.config = loadConfig(this.configFile)
    this.target = findTarget(this.config, sandbox.target)
  }

  /** A fresh worker for the work; `pid` is its process. */
  async withWorker<T>(work: (pid: number) => Promise<T>): Promise<T> {
    const main = join(packageRoot(), 'dist/src/cli/main.js')
    const env = { ...process.env, STEPBACK_LOG_LEVEL: 'warn' }
    const words = [main, 'worker', '--config', this.configFile]
    const worker = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(worker, 'exit')
    const end = () => void worker.kill('SIGTERM')
    process.once('exit', end)
    try {
      await ready(worker)
      return await work(worker.pid!)
    } finally {
      process.off('exit', end)
      end()
      await ended
    }
  }

  /** To a release, whatever runs now; 2.1.0 is what most measured ways start from. Returns the restore point taken. */
  async deploy(version = '2.1.0'): Promise<string> {
    const release = this.sandbox.releases[version]!
    const run = await this.client.startDeploy({ target: this.target.name, version, release, redeploy: true })
    return (await this.end(run)).restorePoint!
  }

  /** A whole rollback by the product; its run. */
  async rollback(request: Omit<RollbackInput, 'target'>): Promise<string> {
    const run = await this.client.startRollback({ target: this.target.name, ...request })
    await this.end(run)
    return run
  }

  /** A whole emergency procedure; its run. */
  async emergency(procedure: Procedure): Promise<string> {
    const run = await this.client.startEmergency({ target: this.target.name, procedure, reason: 'measured' })
    await this.end(run)
    return run
  }

  /** The images that a restore point recorded. */
  images(restorePoint: string): readonly ServiceImage[] {
    const file = join(this.target.backups, `manifest_${restorePoint}.json`)
    return parseManifest(readFileSync(file, 'utf8')).images
  }

  /** The same up to the gate where it waits for a person, and what that person names. */
  async ask(request: Omit<RollbackInput, 'target'>): Promise<{ readonly run: string; readonly digest: string }> {
    const run = await this.client.startRollback({ target: this.target.name, ...request })
    while (await this.client.isOpen(run)) {
      const { gate, plan } = await this.client.progress(run)
      if (gate && plan) return { run, digest: plan.digest }
      await sleep(100)
    }
    throw new Error(`run "${run}" asked nobody: ${JSON.stringify(await this.client.result(run))}`)
  }

  /** A script on the host, by the shell that the product uses; what it printed. */
  async shell(script: string): Promise<string> {
    const { stdout } = await run(['/bin/sh', '-s'], { env: this.session.env, input: script })
    return stdout
  }

  /** What came of a run; one that waits for a person for long is given up. */
  async end(name: string): Promise<RunResult> {
    // A run that waits for a person would wait for ever, and keep the lease.
    const late = new AbortController()
    const waits = sleep(endsWithinMs, undefined, { signal: late.signal }).then(
      () => this.client.resolve(name, { by: 'bench', action: 'abort' }),
      () => undefined,
    )
    const ended = await this.client.result(name)
    late.abort()
    await waits
    if (ended.outcome === 'done') return ended.result
    throw new Error(`run "${name}" ended as ${ended.outcome}: ${ended.message}`)
  }
}

/** Seconds that the work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  return (await timed(work)).took
}

/** The same with what the work gave. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly took: number }> {
  const began = performance.now()
  const value = await work()
  return { value, took: (performance.now() - began) / 1_000 }
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
