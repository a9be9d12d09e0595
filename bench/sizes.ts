// What is measured of the database: each at every size, on one ground that grows from one to the next.

import { BarePostgres } from './bare.js'
import { Ground, seconds } from './ground.js'
import { compare, type Result, runs, type Say } from './measurement.js'
import { fillMessages } from './messages.js'

export interface Place {
  readonly ground: Ground
  readonly postgres: BarePostgres
  /** Behind the name of a measurement, e.g. `1m`. */
  readonly size: string
  readonly messages: number
  /** A tenth is there to show how a time grows; goals are for the sizes that hurt. */
  readonly reportedOnly: boolean
  /** How often each way is gone. */
  readonly runs: number
  readonly say: Say
}

export interface DatabaseMeasurement {
  readonly at: (place: Place) => Promise<readonly Result[]>
  /** What several sizes say together. */
  readonly together?: (results: readonly Result[]) => readonly Result[]
}

/** From the smallest on, since the ground only grows. */
const sizes = [
  { size: '100k', messages: 100_000, reportedOnly: true, runs },
  { size: '1m', messages: 1_000_000, reportedOnly: false, runs },
  // A slow moment of the machine is a small part of a run that takes minutes.
  { size: '3m', messages: 3_000_000, reportedOnly: false, runs: 3 },
] as const

export type Size = (typeof sizes)[number]['size']

export const allSizes: readonly Size[] = sizes.map(({ size }) => size)

export interface Wanted {
  readonly name: string
  readonly measurement: DatabaseMeasurement
  readonly sizes: readonly Size[]
}

/** Of each result `measured` is told as soon as it is there; what one fails of keeps no other from being measured. */
export async function measureDatabase(
  wanted: readonly Wanted[],
  say: Say,
  told: {
    readonly measured: (results: readonly Result[]) => void
    readonly failed: (what: string, error: unknown) => void
  },
): Promise<void> {
  await Ground.during(say, async (ground) => {
    const postgres = await BarePostgres.on(ground)
    const results = wanted.map((): Result[] => [])
    for (const size of sizes.filter((it) => wanted.some((one) => one.sizes.includes(it.size)))) {
      const took = await seconds(() => fillMessages(postgres, size.messages))
      say(`── ${size.messages} messages, ${megabytes(await postgres.bytes())}, in ${took.toFixed(0)} s`)
      for (const [index, { name, measurement, sizes: own }] of wanted.entries()) {
        if (!own.includes(size.size)) continue
        try {
          const found = await measurement.at({ ground, postgres, say, ...size })
          results[index]!.push(...found)
          told.measured(found)
        } catch (error) {
          told.failed(`${name}-${size.size}`, error)
        }
      }
    }
    for (const [index, { measurement }] of wanted.entries()) {
      if (results[index]!.length > 1) told.measured(measurement.together?.(results[index]!) ?? [])
    }
  })
}

/** A result of one size: its name says which, and where it is reported only, no goal is set. */
export function compareAt(place: Place, input: Parameters<typeof compare>[0]): Result {
  const name = `${input.name}-${place.size}`
  if (!place.reportedOnly) return compare({ ...input, name })
  return compare({ ...input, name, goal: 'reported', limit: () => Infinity })
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
