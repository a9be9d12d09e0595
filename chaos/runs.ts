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
  const trials = numbers.map((number) => ({ number, case: draw(seed + number, kinds, faults), again: again(number) }))
  return await playAll(trials, asked)
}

/** `count` of its rows, from the one that `only` names on, or just those that it names. */
export const crashMatrix: Trial = async (asked) => {
  const again = (number: number) => `npm run chaos -- --matrix 1 --only ${number}`
  const rows = matrix(kinds).map((it, number) => ({ number, case: it, again: again(number) }))
  const cells = rows.reduce((sum, row) => sum + row.case.faults.length, 0)
  asked.say(`the matrix has ${rows.length} rows with ${cells} cells`)
  const [from = 0, ...more] = asked.only ?? []
  const wanted = more.length > 0 ? rows.filter((it) => asked.only!.includes(it.number)) : rows.slice(from)
  return await playAll(wanted.slice(0, asked.count), asked)
}

/** On so many sandboxes at once as is asked for, each of which takes the next one when it is free. */
async function playAll(all: readonly Numbered[], { say, atOnce }: Asked): Promise<boolean> {
  const told: Told[] = []
  const waiting = [...all]
  await Ground.during(say, Math.min(atOnce, all.length), async (ground) => {
    const beginnings = new Beginnings(ground)
    for (let it = waiting.shift(); it; it = waiting.shift()) told.push(...(await playOne(ground, beginnings, it, say)))
  })
  const failed = told.filter((it) => it.violations > 0).length
  const came = told.reduce((sum, it) => sum + it.faults.length, 0)
  say(`\n${renderTally(told)}\n`)
  say(`${came} faults came; ${failed === 0 ? 'no violation' : `${failed} with violations`}`)
  say(`${told.length - failed} passed, ${failed} failed`)
  return failed === 0
}

/** A row of the matrix is played until each of its faults has come, or a run brought none of what was left. */
async function playOne(ground: Ground, beginnings: Beginnings, it: Numbered, say: Asked['say']): Promise<Told[]> {
  const told: Told[] = []
  for (let left = it.case.faults; ;) {
    const trial = { ...it.case, faults: left }
    say(`${it.number} ${describeCase(trial)}`)
    const played = await playTrial(ground, beginnings, trial)
    left = left.filter((fault) => !played.faults.includes(fault))
    const isLast = !it.case.inTurn || left.length === 0 || left.length === trial.faults.length
    told.push(tell(it, isLast ? played : { ...played, notes: [] }, say))
    if (isLast) return told
  }
}

/** What cannot be played is a violation, too: the target could not be brought to where the next one begins. */
async function playTrial(ground: Ground, beginnings: Beginnings, it: Case): Promise<Played> {
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
  const lines = [
    `${run}: ${outcome}${message === '' ? '' : ` (${message.split('\n')[0]})`}; ${state}; ${faults.length} faults`,
    ...notes.map((it) => `not: ${it}`),
    ...violations.map((it) => `VIOLATION of ${number}: ${it}`),
    ...(violations.length > 0 ? [`again: ${again}`] : []),
  ]
  for (const line of lines) say(`  ${number} ${line}`)
  return { faults: faults.map(({ fault }) => fault), outcome, state, violations: violations.length }
}
