// `npm run bench -- NAME…`: measures on a sandbox of its own, which is gone afterwards; all where no name is given.

import { join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'
import type { Measurement, Result } from './measurement.js'
import { measureMemory } from './memory.js'
import { renderTable, writeResults } from './results.js'
import { measureRollback } from './rollback.js'

const measurements: Readonly<Record<string, Measurement>> = { rollback: measureRollback, memory: measureMemory }

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(measurements, name))
if (unknown.length > 0) {
  say(`error: no measurement is called ${unknown.map((name) => `"${name}"`).join(', ')}`)
  say(`hint: npm run bench -- ${Object.keys(measurements).join(' ')}`)
  process.exit(2)
}

const results: Result[] = []
const file = join(packageRoot(), 'bench', 'results.json')
for (const name of wanted.length > 0 ? wanted : Object.keys(measurements)) {
  say(`── ${name}`)
  const began = performance.now()
  results.push(...(await measurements[name]!(say)))
  // At once, so that a later one that fails does not take it along.
  writeResults(file, results)
  say(`${name} took ${Math.round((performance.now() - began) / 1_000)} s`)
}
process.stdout.write(`${renderTable(results)}\n`)
say(`written to ${file}`)

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
