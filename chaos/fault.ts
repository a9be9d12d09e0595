// One thing that can happen to a run, and how it is mended again.

import type { Random } from './random.js'
import type { World } from './world.js'

/** Mends what the fault broke; called once, and before anything is judged. */
export type Mend = () => Promise<void>

export interface Fault {
  readonly name: string
  /** For people: what happens. */
  readonly about: string
  /** `moment`: it is over at once; `while`: it is mended after a time; `run`: when the run has ended. */
  readonly lasts: 'moment' | 'while' | 'run'
  /** It changes what becomes of the run itself, so that a run can have it only once. */
  readonly ofRun?: true
  /** What the machine has to have, besides the sandbox. */
  readonly needs?: 'small disk' | 'own engine'
  /** Paths of the project directory in which somebody's own work may be found afterwards. */
  readonly byHand?: readonly string[]
  /** Undefined where there was nothing for it to happen to: it has not come then. */
  inject(world: World, random: Random): Promise<Mend | undefined>
}

export const nothingToMend: Mend = async () => {}
