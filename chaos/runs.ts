// `--runs N --seed S`: N trials drawn by their seeds; `--matrix`: every fault during every step of every scenario.

import { Beginnings } from './beginnings.js'
import { type Case, describeCase, draw, matrix } from './draw.js'
import { kinds } from './faults/index.js'
import { Ground } from './ground.js'
import { type Played, play } from './play.js'
import { type Told, renderTally } from './tally.js'
import type { Asked, Trial } from './trial.js'

interface Numbered {
  readonly number: number
  readonly case: Case
  /** What does just this one again. */
  readonly again: string
}

/** Trial K of seed S is drawn by S + K alone, and by how many faults each is to have. */
export const runs: Trial = async (asked) => {
  const { count, seed, only, faults } = asked
  const numbers = only ?? Array.from({ length: count }, (_, index) => index)
  const many = faults === undefined ? '' : ` --faults ${faults}`
  const again = (number: number) => `npm run chaos -- --runs 1 --seed ${seed}${many} --only ${number}`
  return await playAll(
    numbers.map((number) => ({ number, case: draw(seed + number, kinds, faults), again: again(number) })),
    asked,
  )
}

/** `count` of its cells, from the one that `only` names on, or just those that it names. */
export const crashMatrix: Trial = async (asked) => {
  const again = (number: number) => `npm run chaos -- --matrix 1 --only ${number}`
  const cells = matrix(kinds).map((it, number) => ({ number, case: it, again: again(number) }))
  asked.say(`the matrix has ${cells.length} cells`)
  const [from = 0, ...more] = asked.only ?? []
  const wanted = more.length > 0 ? cells.filter((it) => asked.only!.includes(it.number)) : cells.slice(from)
  return await playAll(wanted.slice(0, asked.count), asked)
}

async function playAll(all: readonly Numbered[], { say }: Asked): Promise<boolean> {
  const told: Told[] = []
  await Ground.during(say, async (ground) => {
    const beginnings = new Beginnings(ground)
    for (const it of all) {
      say(`${it.number} ${describeCase(it.case)}`)
      const played = await playOne(ground, beginnings, it.case)
      told.push(tell(it, played, say))
    }
  })
  const failed = told.filter((it) => it.violations > 0).length
  say(`\n${renderTally(told)}\n`)
  say(
    `${told.reduce((sum, it) => sum + it.faults.length, 0)} faults came; ${failed === 0 ? 'no violation' : `${failed} with violations`}`,
  )
  say(`${told.length - failed} passed, ${failed} failed`)
  return failed === 0
}

/** What cannot be played is a violation, too: the target could not be brought to where the next one begins. */
async function playOne(ground: Ground, beginnings: Beginnings, it: Case): Promise<Played> {
  try {
    return await play(ground, beginnings, it)
  } catch (error) {
    beginnings.leftSomewhere()
    const message = (error as Error).message
    return { run: '', outcome: 'not played', message, state: 'neither', faults: [], notes: [], violations: [message] }
  }
}

function tell({ number, again }: Numbered, played: Played, say: Asked['say']): Told {
  const { run, outcome, message, state, faults, notes, violations } = played
  say(`  ${run}: ${outcome}${message === '' ? '' : ` (${message.split('\n')[0]})`}; ${state}`)
  for (const note of notes) say(`  not: ${note}`)
  for (const violation of violations) say(`  VIOLATION of ${number}: ${violation}`)
  if (violations.length > 0) say(`  again: ${again}`)
  return { faults, outcome, state, violations: violations.length }
}
