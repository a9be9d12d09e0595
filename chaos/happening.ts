// The faults of one trial: each waits for its point, comes, and is mended.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tail } from './chain.js'
import type { Planned } from './draw.js'
import type { Fault, Mend } from './fault.js'
import { faultNamed } from './faults/index.js'
import { fileText } from './look.js'
import { describePoint, hasCome, isUnderWay } from './points.js'
import { Random } from './random.js'
import { resumedAfterMs } from './resumed.js'
import type { World } from './world.js'

/** Behind these there is a worker again, by which the run has to go on. */
const returns = ['worker killed', 'worker stopped']

export class Happening {
  readonly came: Planned[] = []
  readonly notes: string[] = []
  readonly byHand: Record<string, string> = {}
  /** The longest that the run took to go on behind a worker's return. */
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

  /** Each at its own point, whatever else is broken then. */
  async happen(planned: Planned): Promise<void> {
    if (await this.#untilItComes(planned.point)) await this.#inject(planned, ['while'])
    else this.#note(planned, 'the run ended before its point')
  }

  /** One after the other, and each of them mended before the next: whichever has its step under way then. */
  async happenInTurn(all: readonly Planned[]): Promise<void> {
    const missing = [...all]
    while (!this.#over) {
      const entries = this.tail.of(this.world.run)
      const index = missing.findIndex(({ point }) => isUnderWay(point, entries))
      const [next] = index === -1 ? [] : missing.splice(index, 1)
      if (next) await this.#inject(next, ['while', 'run'])
      else await sleep(10)
      if (this.came.some(({ fault }) => faultNamed(fault).ofRun)) break
    }
    for (const planned of missing) this.#note(planned, 'its step was not under way while nothing else was broken')
  }

  /** Mended behind its time where it lasts so long; else it is over already, or lasts as long as the run. */
  async #inject(planned: Planned, mended: readonly Fault['lasts'][]): Promise<void> {
    const fault = faultNamed(planned.fault)
    const { ground, run } = this.world
    if (fault.needs === 'small disk' && !ground.hasSmallDisk) return this.#note(planned, 'only root may mount a disk')
    if (fault.needs === 'own engine' && !ground.hasOwnEngine) return this.#note(planned, 'the engine is not its own')
    try {
      const injected = await fault.inject(this.world, new Random(planned.seed))
      if (!injected) return this.#note(planned, 'there was nothing for it to happen to')
      const mend = once(injected)
      this.came.push(planned)
      this.#readByHand(fault.byHand ?? [])
      this.#mends.push(mend)
      if (!mended.includes(fault.lasts)) return
      await this.#unlessOver(planned.holdMs)
      // While something else is broken it may not be possible yet; it is in the end.
      await mend().catch(() => {})
      if (returns.includes(fault.name)) this.#seeResumed(await resumedAfterMs(ground, run, ground.workers.readyAt))
    } catch (error) {
      this.#note(planned, `it could not be done: ${(error as Error).message.split('\n')[0]}`)
    }
  }

  async mendAll(): Promise<void> {
    // At once: a worker begins only when Temporal is back.
    await Promise.allSettled(this.#mends.map((mend) => mend()))
    // What needed something that was not back yet; all of it is now.
    await Promise.all(this.#mends.map((mend) => mend()))
  }

  #seeResumed(afterMs: number | undefined): void {
    if (afterMs !== undefined) this.resumedAfterMs = Math.max(afterMs, this.resumedAfterMs ?? 0)
  }

  #note({ fault, point }: Planned, why: string): void {
    this.notes.push(`${fault} (${describePoint(point)}): ${why}`)
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

/** Not again once it is done. */
function once(mend: Mend): Mend {
  let done: Promise<void> | undefined
  return () =>
    (done ??= mend().catch((error: unknown) => {
      done = undefined
      throw error
    }))
}
