// `npm run bench -- NAME…`: measures on a sandbox of its own, which is gone afterwards; all where no name is given.

import { join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'
import { measureContainers } from './containers.js'
import { measureEmergency } from './emergency.js'
import { exposure } from './exposure.js'
import type { Measurement, Result } from './measurement.js'
import { measureMemory } from './memory.js'
import { migrate } from './migrate.js'
import { restore } from './restore.js'
import { renderTable, writeResults } from './results.js'
import { measureRollback } from './rollback.js'
import { type DatabaseMeasurement, measureDatabase } from './sizes.js'
import { swap } from './swap.js'
import { take } from './take.js'

const measurements: Readonly<Record<string, Measurement>> = {
  rollback: measureRollback,
  containers: measureContainers,
  emergency: measureEmergency,
  memory: measureMemory,
}
const ofDatabase: Readonly<Record<string, DatabaseMeasurement>> = { migrate, exposure, take, restore, swap }
const known = [...Object.keys(measurements), ...Object.keys(ofDatabase)]

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  say(`error: no measurement is called ${unknown.map((name) => `"${name}"`).join(', ')}`)
  say(`hint: npm run bench -- ${known.join(' ')}`)
  process.exit(2)
}

const wanted = known.filter((name) => asked.length === 0 || asked.includes(name))
const results: Result[] = []
const file = join(packageRoot(), 'bench', 'results.json')
for (const name of wanted.filter((it) => Object.hasOwn(measurements, it))) {
  await timed(name, async () => measured(await measurements[name]!(say)))
}
const together = wanted.filter((it) => Object.hasOwn(ofDatabase, it))
if (together.length > 0) {
  const all = together.map((name) => ofDatabase[name]!)
  await timed(together.join(', '), () => measureDatabase(all, say, measured))
}
process.stdout.write(`${renderTable(results)}\n`)
say(`written to ${file}`)

/** Written at once, so that a later one that fails does not take it along. */
function measured(found: readonly Result[]): void {
  results.push(...found)
  writeResults(file, results)
}

async function timed(name: string, work: () => Promise<void>): Promise<void> {
  say(`── ${name}`)
  const began = performance.now()
  await work()
  say(`${name} took ${Math.round((performance.now() - began) / 1_000)} s`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
