// The faults of one trial: each waits for its point, comes, and is mended.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tail } from './chain.js'
import type { Planned } from './draw.js'
import type { Mend } from './fault.js'
import { faultNamed } from './faults/index.js'
import { fileText } from './look.js'
import { hasCome } from './points.js'
import { Random } from './random.js'
import { resumedAfterMs } from './resumed.js'
import type { World } from './world.js'

/** Behind these there is a worker again, by which the run has to go on. */
const returns = ['worker killed', 'worker stopped']

export class Happening {
  readonly came: string[] = []
  readonly notes: string[] = []
  readonly byHand: Record<string, string> = {}
  resumedAfterMs: number | undefined
  readonly #mends: Mend[] = []
  readonly #began = Date.now()
  #over = false

  constructor(
    private readonly world: World,
    private readonly tail: Tail,
  ) {}

  /** The run has ended: what has not come yet does not come any more. */
  over(): void {
    this.#over = true
  }

  async happen({ fault: name, point, holdMs, seed }: Planned): Promise<void> {
    const fault = faultNamed(name)
    const { ground, run } = this.world
    if (fault.needs === 'small disk' && !ground.hasSmallDisk) return this.#note(name, 'only root may mount a disk')
    if (fault.needs === 'own engine' && !ground.hasOwnEngine) return this.#note(name, 'the engine is not its own')
    if (!(await this.#untilItComes(point))) return this.#note(name, 'the run ended before its point')
    try {
      const injected = await fault.inject(this.world, new Random(seed))
      if (!injected) return this.#note(name, 'there was nothing for it to happen to')
      const mend = once(injected)
      this.came.push(name)
      this.#readByHand(fault.byHand ?? [])
      this.#mends.push(mend)
      if (fault.lasts !== 'while') return
      await this.#unlessOver(holdMs)
      await mend()
      if (returns.includes(name)) this.resumedAfterMs = await resumedAfterMs(ground, run, ground.workers.readyAt)
    } catch (error) {
      this.#note(name, `it could not be done: ${(error as Error).message.split('\n')[0]}`)
    }
  }

  async mendAll(): Promise<void> {
    // At once: a worker begins only when Temporal is back.
    await Promise.all(this.#mends.map((mend) => mend()))
  }

  #note(name: string, why: string): void {
    this.notes.push(`${name}: ${why}`)
  }

  #readByHand(paths: readonly string[]): void {
    const { directory } = this.world.ground.sandbox
    for (const path of paths) {
      if (existsSync(join(directory, path))) this.byHand[path] = fileText(join(directory, path))
    }
  }

  async #untilItComes(point: Planned['point']): Promise<boolean> {
    while (!hasCome(point, this.tail.of(this.world.run))) {
      if (this.#over) return false
      await sleep(10)
    }
    const since = point.when === 'later' ? Date.now() - this.#began : 0
    await this.#unlessOver(point.lateMs - since)
    return !this.#over
  }

  async #unlessOver(ms: number): Promise<void> {
    const until = Date.now() + ms
    while (!this.#over && Date.now() < until) await sleep(Math.max(1, Math.min(50, until - Date.now())))
  }
}

function once(mend: Mend): Mend {
  let done: Promise<void> | undefined
  return () => (done ??= mend())
}
