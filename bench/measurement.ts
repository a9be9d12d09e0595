// What a measurement is: two ways to the same end, run in turn, each result a median.

export interface Result {
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly peer: number
  /** What the peer is. */
  readonly against: string
  readonly ratio: number
  readonly goal: string
  readonly holds: boolean
  readonly runs: number
  readonly note: string
}

export type Say = (line: string) => void

export type Measurement = (say: Say) => Promise<readonly Result[]>

/** Fewer would make one slow moment of the machine the result. */
export const runs = 5

/** Each way once, then each way again: what slows the machine down for a while slows all of them. */
export async function inTurn<K extends string>(
  ways: Readonly<Record<K, () => Promise<number>>>,
  say: Say,
  times: number = runs,
): Promise<Readonly<Record<K, readonly number[]>>> {
  const names = Object.keys(ways) as K[]
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let run = 1; run <= times; run++) {
    for (const name of names) {
      const value = await again(ways[name], (why) =>
        say(`run ${run} of ${times}, ${name}, failed and is done again: ${why}`),
      )
      values[name].push(value)
      say(`run ${run} of ${times}, ${name}: ${value.toFixed(2)}`)
    }
  }
  return values
}

/** A program of the host may fail now and then, in a plain script as anywhere; what failed is no time of a rollback. */
async function again<T>(work: () => Promise<T>, failed: (why: string) => void): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === 3) throw error
      failed((error as Error).message)
    }
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** `limit` is the most that ours may be, given the peer's median. */
export function compare(input: {
  readonly name: string
  readonly unit: string
  readonly ours: readonly number[]
  readonly peer: readonly number[]
  readonly against: string
  readonly goal: string
  readonly limit: (peer: number) => number
  readonly note: string
}): Result {
  const [ours, peer] = [median(input.ours), median(input.peer)]
  const { name, unit, against, goal, note } = input
  const shown = { ours: round(ours), peer: round(peer), ratio: round(ours / peer) }
  const count = Math.min(input.ours.length, input.peer.length)
  return { name, unit, ...shown, against, goal, holds: ours <= input.limit(peer), runs: count, note }
}

export function round(value: number): number {
  return Math.round(value * 100) / 100
}
