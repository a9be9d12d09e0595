// `npm run bench -- NAME…`: measures on a sandbox of its own, which is gone afterwards; all where no name is given.

import { join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'
import { approval } from './approval.js'
import { measureContainers } from './containers.js'
import { measureEmergency } from './emergency.js'
import { exposure } from './exposure.js'
import { measureGuard } from './guard.js'
import type { Measurement, Result } from './measurement.js'
import { measureMemory } from './memory.js'
import { migrate } from './migrate.js'
import { restore } from './restore.js'
import { renderTable, writeResults } from './results.js'
import { measureRollback } from './rollback.js'
import { measureRunbook } from './runbook.js'
import { allSizes, type DatabaseMeasurement, measureDatabase, type Size } from './sizes.js'
import { swap } from './swap.js'
import { take } from './take.js'

const measurements: Readonly<Record<string, Measurement>> = {
  rollback: measureRollback,
  containers: measureContainers,
  emergency: measureEmergency,
  runbook: measureRunbook,
  guard: measureGuard,
  memory: measureMemory,
}
const ofDatabase: Readonly<Record<string, DatabaseMeasurement>> = { migrate, exposure, take, restore, swap, approval }
/** The largest takes longer than all the others together, so it is measured where it is named. */
const usual: readonly Size[] = ['100k', '1m']

const asked = process.argv.slice(2)
const sizesOf = (name: string) => {
  const whole = asked.length === 0 || asked.includes(name)
  const named = (size: Size) => asked.includes(size) || asked.includes(`${name}-${size}`)
  return allSizes.filter((size) => named(size) || (whole && usual.includes(size)))
}
const whole = Object.keys(measurements).filter((name) => asked.length === 0 || asked.includes(name))
const sized = Object.keys(ofDatabase).filter((name) => sizesOf(name).length > 0)
ensureKnown()

const results: Result[] = []
const file = join(packageRoot(), 'bench', 'results.json')
for (const name of whole) await timed(name, async () => measured(await measurements[name]!(say)))
if (sized.length > 0) {
  const wanted = sized.map((name) => ({ name, measurement: ofDatabase[name]!, sizes: sizesOf(name) }))
  await timed(sized.join(', '), () => measureDatabase(wanted, say, { measured, failed }))
}
process.stdout.write(`${renderTable(results)}\n`)
say(`written to ${file}`)

function ensureKnown(): void {
  const known = [...Object.keys(measurements), ...Object.keys(ofDatabase)]
  const sized = Object.keys(ofDatabase).flatMap((name) => allSizes.map((size) => `${name}-${size}`))
  const unknown = asked.filter((name) => ![...known, ...sized, ...allSizes].includes(name))
  if (unknown.length === 0) return
  say(`error: no measurement is called ${unknown.map((name) => `"${name}"`).join(', ')}`)
  say(`hint: npm run bench -- ${known.join(' ')}; those of the database by size, too, as in restore-3m, or 3m for all`)
  process.exit(2)
}

/** Written at once, so that a later one that fails does not take it along. */
function measured(found: readonly Result[]): void {
  results.push(...found)
  writeResults(file, results)
}

/** Told, and no reason not to measure what comes next. */
function failed(name: string, error: unknown): void {
  say(`error: ${name} failed: ${(error as Error).message}`)
  process.exitCode = 1
}

async function timed(name: string, work: () => Promise<void>): Promise<void> {
  say(`── ${name}`)
  const began = performance.now()
  await work().catch((error: unknown) => failed(name, error))
  say(`${name} took ${Math.round((performance.now() - began) / 1_000)} s`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
