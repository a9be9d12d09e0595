// What is done in one trial, drawn by its seed alone; and the rows of all that can happen during each step.

import { type Point, describePoint } from './points.js'
import { Random } from './random.js'
import { type Scenario, scenarios } from './scenarios.js'

export interface Planned {
  readonly fault: string
  readonly point: Point
  /** How long it lasts before it is mended, where it lasts at all. */
  readonly holdMs: number
  /** For what else the fault leaves to chance. */
  readonly seed: number
}

export interface Case {
  readonly scenario: Scenario
  readonly faults: readonly Planned[]
  /** One after the other: each as soon as its step is under way while nothing else is broken. */
  readonly inTurn?: true
}

/** The kinds of faults that there are; `ofRun` are those that a run can have only once. */
export interface Kinds {
  readonly names: readonly string[]
  readonly ofRun: readonly string[]
}

/** With so many faults where that is said, else with one to three. */
export function draw(seed: number, kinds: Kinds, many?: number): Case {
  const random = new Random(seed)
  const scenario = random.pick(scenarios)
  // One in twenty has none: what always holds has to hold then, too.
  const count = many ?? (random.chance(0.05) ? 0 : random.pick([1, 1, 1, 2, 2, 3]))
  const faults: Planned[] = []
  while (faults.length < count) {
    const drawn = { fault: random.pick(kinds.names), point: point(random, scenario), ...rest(random) }
    const twice = kinds.ofRun.includes(drawn.fault) && faults.some((it) => kinds.ofRun.includes(it.fault))
    if (!twice) faults.push(drawn)
  }
  return { scenario, faults }
}

/** Of each scenario a row with nothing at all, and for each fault one with that during each step and act of an undo. */
export function matrix(kinds: Kinds): Case[] {
  return scenarios.flatMap((scenario, index) => {
    const points: Point[] = [
      ...scenario.steps.map((step): Point => ({ when: 'during', step, lateMs: 0 })),
      ...(scenario.undos ?? []).map((step): Point => ({ when: 'undoing', step, lateMs: 0 })),
    ]
    const rows = kinds.names.map((fault, column) => {
      const random = new Random(1 + index * kinds.names.length + column)
      return points.map((it) => ({ fault, point: it, ...rest(random), holdMs: random.pick([200, 1_000, 3_000]) }))
    })
    return [[], ...rows].map((faults) => ({ scenario, faults, inTurn: true as const }))
  })
}

export function describeCase({ scenario, faults, inTurn }: Case): string {
  const [first] = faults
  if (!first) return `${scenario.name}: nothing happens`
  const points = faults.map(({ point }) => describePoint(point))
  const each = faults.map(({ fault }, index) => `${fault} (${points[index]})`)
  return `${scenario.name}: ${inTurn ? `${first.fault} (${points.join(', ')})` : each.join('; ')}`
}

function point(random: Random, { steps, undos = [] }: Scenario): Point {
  const lateMs = random.pick([0, 0, 20, 100, 400, random.between(0, 2_000)])
  if (random.chance(0.2)) return { when: 'later', lateMs: random.between(0, 12_000) }
  if (undos.length > 0 && random.chance(0.4)) return { when: 'undoing', step: random.pick(undos), lateMs }
  return { when: random.pick(['before', 'during', 'during', 'after']), step: random.pick(steps), lateMs }
}

function rest(random: Random) {
  const holdMs = random.pick([200, 1_000, 3_000, 8_000, random.between(0, 15_000)])
  return { holdMs, seed: random.between(1, 1_000_000) }
}
