// Everything that can happen, by name.

import type { Kinds } from '../draw.js'
import type { Fault } from '../fault.js'
import { connectionFaults } from './connection.js'
import { databaseFaults } from './database.js'
import { hostFaults } from './host.js'
import { runFaults } from './runs.js'
import { serverFaults, workerFaults } from './workers.js'

export const faults: readonly Fault[] = [
  ...workerFaults,
  ...serverFaults,
  ...connectionFaults,
  ...hostFaults,
  ...databaseFaults,
  ...runFaults,
]

/** The same on every machine, so that a seed is: what one cannot have is left out when it comes. */
export const kinds: Kinds = {
  names: faults.map(({ name }) => name),
  ofRun: faults.filter(({ ofRun }) => ofRun).map(({ name }) => name),
}

export function faultNamed(name: string): Fault {
  return faults.find((it) => it.name === name)!
}
