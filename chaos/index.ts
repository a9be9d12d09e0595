// `npm run chaos -- --KIND N --seed S`: one kind of trial, N times; exit status 1 where something did not hold.

import { parseArgs } from 'node:util'
import type { Trial } from './trial.js'

/** By the option that asks for it. Loaded where it is asked for: none needs what another does. */
const trials: Readonly<Record<string, () => Promise<Trial>>> = {}

const { kind, count, seed } = read(process.argv.slice(2))
const trial = await trials[kind]!()
process.exitCode = (await trial({ count, seed, say })) ? 0 : 1

function read(args: readonly string[]): { readonly kind: string; readonly count: number; readonly seed: number } {
  try {
    const kinds = Object.keys(trials)
    const options = Object.fromEntries([...kinds, 'seed'].map((name) => [name, { type: 'string' as const }]))
    const { values } = parseArgs({ args: [...args], options })
    const asked = kinds.filter((name) => values[name] !== undefined)
    if (asked.length !== 1) throw new Error(`name one of ${kinds.map((it) => `"--${it} N"`).join(', ')}`)
    return { kind: asked[0]!, count: whole(values, asked[0]!), seed: values['seed'] ? whole(values, 'seed') : 1 }
  } catch (error) {
    say(`error: ${(error as Error).message}`)
    say('hint: npm run chaos -- --simulate 10000 --seed 1')
    process.exit(2)
  }
}

function whole(values: Readonly<Record<string, unknown>>, name: string): number {
  const text = String(values[name])
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`"--${name} ${text}" is no whole number above 0`)
  return Number(text)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
