// The stories must be able to fail: each is told to a helper that has just the flaw that it is about.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { counterexamples } from './counterexamples.js'
import { startGround } from './ground.js'
import type { Ground } from './ground.js'

let ground: Ground
beforeAll(async () => {
  ground = await startGround('dash')
})
afterAll(() => ground.stop())

describe.concurrent('a helper with the flaw of', () => {
  for (const { name, flaw, story } of counterexamples) {
    test(`${name} is found out`, { timeout: 60_000 }, async () => {
      await expect(story(await ground.site({ flaw }))).rejects.toThrow('expected:')
    })
  }
})
