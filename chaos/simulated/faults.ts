// What becomes of each command over SSH. It is drawn from the seed, from what is said, and from how often it was said
// before: calls that overtake each other meet the same fate, and a seed is the same run each time.

import { createHash } from 'node:crypto'

export const faultKinds = ['unsent', 'unanswered', 'halved', 'closed before', 'closed behind'] as const

/** Not begun; done, and not answered; half of the answer; and the whole connection gone, before or behind the act. */
export type Fault = (typeof faultKinds)[number]

export class Faults {
  readonly #said = new Map<string, number>()
  #stopped = false
  #commands = 0
  #failed = 0

  constructor(
    readonly seed: number,
    /** The share of commands that fail. */
    readonly rate: number,
  ) {}

  get commands(): number {
    return this.#commands
  }

  get failed(): number {
    return this.#failed
  }

  /** From now on everything is answered: whoever judges what is there has to see it. */
  stop(): void {
    this.#stopped = true
  }

  of(what: string): Fault | undefined {
    if (this.#stopped) return undefined
    const times = (this.#said.get(what) ?? 0) + 1
    this.#said.set(what, times)
    this.#commands += 1
    const drawn = chance(this.seed, `${what}#${times}`)
    if (drawn >= this.rate) return undefined
    this.#failed += 1
    return faultKinds[Math.floor((drawn / this.rate) * faultKinds.length)]
  }
}

/** In [0, 1), the same for the same seed and name. */
export function chance(seed: number, name: string): number {
  return createHash('sha256').update(`${seed} ${name}`).digest().readUInt32BE(0) / 2 ** 32
}
