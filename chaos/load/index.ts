// `npm run chaos -- --load N`: N targets deployed at once by one worker, each over a real SSH server.

import type { Trial } from '../trial.js'
import { Fleet, type Run } from './fleet.js'
import { makeGround } from './ground.js'
import { problemsOf, stepsOf } from './lost.js'

/** Temporal ends a history of 51,200 events, and warns at a fifth of that; a run stays far below. */
const mostEvents = 2_000
/** What the last quarter may have more than the first. */
const mostGrowth = 1.25

export const load: Trial = async ({ count, say }) => {
  const ground = await makeGround(count)
  const runs: Run[] = []
  try {
    say('run | ended | events | seconds | steps, each once | MB of the worker then')
    const fleet = await Fleet.deploy(ground, (run) => runs.push(run))
    const wrong = runs.map((run) => problemsOf(ground, run.target))
    for (const [index, { target, ended, events, seconds, megabytes }] of runs.entries()) {
      const steps = wrong[index]!.length === 0 ? stepsOf(ground, target) : wrong[index]!.join('; ')
      say([target, ended, events, seconds.toFixed(1), steps, megabytes].join(' | '))
    }
    const quarters = [runs.slice(0, Math.ceil(count / 4)), runs.slice(-Math.ceil(count / 4))] as const
    say(`events: ${told(quarters, (it) => it.events)}, ${Math.max(...runs.map((it) => it.events))} at most`)
    say(`MB of the worker: ${told(quarters, (it) => it.megabytes)}, ${fleet.peak} at most`)
    say(`seconds: ${told(quarters, (it) => it.seconds)}`)
    const lost = wrong.flat().length + runs.filter((it) => it.ended !== 'done').length
    say(`${count} targets, ${lost} with something lost`)
    return lost === 0 && isFlat(quarters) && runs.every((it) => it.events < mostEvents)
  } finally {
    await ground.remove()
  }
}

type Quarters = readonly [readonly Run[], readonly Run[]]

function told(quarters: Quarters, of: (run: Run) => number): string {
  const [first, last] = quarters.map((it) => mean(it.map(of)).toFixed(0))
  return `${first} in the first quarter, ${last} in the last`
}

function isFlat([first, last]: Quarters): boolean {
  return ([(it) => it.events, (it) => it.megabytes] as const satisfies ((run: Run) => number)[]).every(
    (of: (run: Run) => number) => mean(last.map(of)) <= mostGrowth * mean(first.map(of)),
  )
}

function mean(figures: readonly number[]): number {
  return figures.reduce((sum, it) => sum + it, 0) / figures.length
}
