// `npm run chaos -- --simulate N --seed S`: N deploys of the real workflows while 5 % of all commands over SSH fail.

import { join } from 'node:path'
import { packageRoot } from '../../sandbox/paths.js'
import type { Trial } from '../trial.js'
import { type Deployed, deploy } from './deploy.js'
import { Stage } from './stage.js'
import { Tally } from './tally.js'

export const failingShare = 0.05
/** More at once are no faster. */
const atOnce = 60
/** A server that skips time keeps every history in memory, so each of them gets so many. */
const toEachServer = 1_000

export const simulate: Trial = async ({ count, seed, say }) => {
  const tally = new Tally()
  const bundle = join(packageRoot(), 'dist', 'workflow-bundle.js')
  for (let first = seed; first < seed + count; first += toEachServer) {
    const last = Math.min(first + toEachServer, seed + count) - 1
    const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    await deployAll({ bundle, seeds }, (one) => {
      tally.add(one)
      for (const line of tally.remarksOn(one)) say(line)
    })
    say(`${last - seed + 1} of ${count}: ${tally.summary}`)
  }
  say(tally.report)
  return tally.holds
}

/** As many at once as are quick, each told when it has ended. */
export async function deployAll(
  input: { readonly bundle: string; readonly seeds: readonly number[] },
  ended: (one: Deployed) => void,
): Promise<void> {
  const stage = await Stage.open(input.bundle)
  try {
    const left = [...input.seeds]
    const lane = async () => {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift())
        ended(await deploy(stage, seed, failingShare))
    }
    await Promise.all(Array.from({ length: atOnce }, lane))
  } finally {
    await stage.close()
  }
}
