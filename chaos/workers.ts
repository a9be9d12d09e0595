// Workers of the trial's own, as processes that can be killed, paused and let go on.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../sandbox/paths.js'

/** Longer than any fault keeps Temporal away. */
const startsWithinMs = 90_000

export class Workers {
  readonly #all = new Set<ChildProcess>()
  #current: ChildProcess | undefined
  /** When the newest one began to look for work; ms since 1970. */
  readyAt = 0

  constructor(
    private readonly config: string,
    private readonly log: string,
  ) {
    process.once('exit', () => this.#killAll())
  }

  get current(): ChildProcess {
    return this.#current!
  }

  /** A further one, which is the current one from now on; begun again while it cannot reach Temporal. */
  async start(config = this.config, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    const deadline = Date.now() + startsWithinMs
    for (;;) {
      try {
        this.#current = await this.#begin(config, env)
        this.readyAt = Date.now()
        return this.#current
      } catch (error) {
        if (Date.now() > deadline) throw error
        await sleep(500)
      }
    }
  }

  /** One that works, whatever became of the others. */
  async ensureOne(): Promise<void> {
    if (!this.#current || hasEnded(this.#current)) await this.start()
  }

  async kill(child: ChildProcess): Promise<void> {
    await ending(child, 'SIGKILL')
  }

  /** Leaves it time for a farewell, as whoever restarts a service does. */
  async stop(child: ChildProcess): Promise<void> {
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ending(child, 'SIGTERM')
    clearTimeout(late)
  }

  async end(): Promise<void> {
    await Promise.all([...this.#all].map((child) => this.kill(child)))
  }

  async #begin(config: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
    const words = [join(packageRoot(), 'dist/src/cli/main.js'), 'worker', '--config', config]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    this.#all.add(child)
    child.once('exit', () => this.#all.delete(child))
    const log = createWriteStream(this.log, { flags: 'a' })
    child.stderr.pipe(log)
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text: Buffer) => {
        log.write(text)
        if (text.includes('worker ready')) resolve()
      })
      child.once('exit', () => reject(new Error(`the worker ended before it was ready, see ${this.log}`)))
    })
    return child
  }

  #killAll(): void {
    for (const child of this.#all) child.kill('SIGKILL')
  }
}

async function ending(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
