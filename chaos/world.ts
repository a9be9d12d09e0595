// What a fault finds: the ground, the run, and a way to start another run beside it.

import type { StepbackClient } from '../src/client.js'
import type { Ground } from './ground.js'
import type { Wish } from './seen.js'
import type { Ended } from './verdict.js'

export interface Other {
  readonly run: string
  /** What it leads to. */
  readonly wish: Wish
  readonly ended: Promise<Ended>
}

export interface World {
  readonly ground: Ground
  /** The workflow id of the run that it happens to. */
  readonly run: string
  /** What other runs lead to, by what they are asked for. */
  readonly wishes: { readonly back: Wish; readonly same: Wish; readonly release: Wish }
  /** Of the scenario: what a second deploy brings. */
  readonly version: string
  /** The restore point of 2.0.0; undefined where none was taken yet. */
  readonly point: string | undefined
  /** Starts another run beside it, which is waited for, and judged with it; its workflow id. */
  readonly start: (work: (client: StepbackClient, target: string) => Promise<string>, wish: Wish) => Promise<string>
}
