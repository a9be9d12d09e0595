import { afterAll, beforeAll, describe, test } from 'vitest'
import { counterexamples } from './counterexamples.js'
import { startGround } from './ground.js'
import type { Ground } from './ground.js'

/** Tells every counterexample to the helper under one shell. */
export function tellStories(shell: string): void {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround(shell)
  })
  afterAll(() => ground.stop())

  describe.concurrent(`the ground under ${shell} holds against`, () => {
    for (const { name, story } of counterexamples) {
      test(name, { timeout: 60_000 }, async () => story(await ground.site()))
    }
  })
}
