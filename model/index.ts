// `npm run model`: every search of every model, and every flaw that a switch brings back. `npm run model -- lease` does so
// for one model, `npm run model -- REL` for one switch, whose shortest counterexample it prints step by step.

import { provide, search, searchesAtOnce } from './checker.js'
import { type Flaw, type Search, flaws, searches } from './searches.js'
import { models, switchesOf } from './rules.js'

interface Row {
  readonly cells: readonly string[]
  readonly well: boolean
}

const asked = process.argv.slice(2)
const wanted = (name: string) => asked.length === 0 || asked.includes(name)
const wantedFlaws = flaws.filter((it) => wanted(it.model) || wanted(it.rule))
const wantedSearches = searches.filter((it) => wanted(it.model))
if (wantedFlaws.length + wantedSearches.length === 0) {
  process.stderr.write(`error: no model and no switch is called "${asked.join(' ')}"\n`)
  process.stderr.write('hint: npm run model -- lease, debts, swap, or a switch of one of them\n')
  process.exit(2)
}

await provide()
const began = performance.now()
say('What is not within the bounds was not searched; docs/model.md says what the models leave out.')
for (const model of models) {
  if (!wantedSearches.some((it) => it.model === model)) continue
  const bounds = switchesOf(model).filter((it) => it.kind === 'bound')
  say(`\n${model}, where a row says nothing else:`)
  say(bounds.map(({ name, usual, means }) => `  ${name}=${usual} ${means}`).join('\n'))
}
say('')
const right = await table(['model', 'bounds', 'states', 'seconds', 'result'], wantedSearches, asItIs)
say('')
const wrong = await table(['model', 'without the rule', 'found', 'held by the test'], wantedFlaws, without)
say(`\n${Math.round((performance.now() - began) / 1_000)} s in all`)
process.exitCode = right && wrong ? 0 : 1

async function asItIs({ model, bounds }: Search): Promise<Row> {
  const found = await search(model, bounds, { shortest: false })
  const well = found.broken === null && found.complete
  const result = found.broken ?? (found.complete ? 'holds' : 'not finished')
  if (found.trace !== '') process.stderr.write(`${found.trace}\n`)
  const set = Object.entries(bounds).map(([name, value]) => `${name}=${value}`)
  return { well, cells: [model, set.join(' '), String(found.states), found.seconds.toFixed(1), result] }
}

async function without({ model, rule, value, bounds, tests }: Flaw): Promise<Row> {
  const shortest = asked.includes(rule)
  const found = await search(model, { ...bounds, [rule]: value }, { shortest })
  if (shortest) say(found.trace)
  const means = switchesOf(model).find((it) => it.name === rule)!.means
  const names = tests.map((it) => it.name).join('; ')
  return { well: found.broken !== null, cells: [model, `${rule}=${value} ${means}`, found.broken ?? 'NOTHING', names] }
}

/** Prints each row as soon as it is known, in their order. */
async function table<T>(head: readonly string[], all: readonly T[], rowOf: (one: T) => Promise<Row>): Promise<boolean> {
  if (all.length === 0) return true
  say(head.join(' | '))
  const begun: Promise<Row>[] = []
  let well = true
  for (const [index] of all.entries()) {
    while (begun.length < Math.min(index + searchesAtOnce, all.length)) begun.push(rowOf(all[begun.length]!))
    const row = await begun[index]!
    say(row.cells.join(' | '))
    well &&= row.well
  }
  return well
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
