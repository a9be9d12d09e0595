// `npm run chaos -- --KIND N --seed S`: one kind of trial, N times; exit status 1 where something did not hold.

import { parseArgs } from 'node:util'
import type { Asked, Trial } from './trial.js'

/** By the option that asks for it. Loaded where it is asked for: none needs what another does. */
const trials: Readonly<Record<string, () => Promise<Trial>>> = {
  runs: async () => (await import('./runs.js')).runs,
  matrix: async () => (await import('./runs.js')).crashMatrix,
  load: async () => (await import('./load/index.js')).load,
  simulate: async () => (await import('./simulated/index.js')).simulate,
}

const { kind, ...asked } = read(counted(process.argv.slice(2)))
const trial = await trials[kind]!()
process.exitCode = (await trial({ ...asked, say })) ? 0 : 1

function read(args: readonly string[]): Omit<Asked, 'say'> & { readonly kind: string } {
  try {
    const kinds = Object.keys(trials)
    const options = Object.fromEntries(
      [...kinds, 'seed', 'only', 'faults', 'at-once'].map((name) => [name, { type: 'string' as const }]),
    )
    const { values } = parseArgs({ args: [...args], options })
    const asked = kinds.filter((name) => values[name] !== undefined)
    if (asked.length !== 1) throw new Error(`name one of ${kinds.map((it) => `"--${it} N"`).join(', ')}`)
    const only = (values['only'] as string | undefined)?.split(',').map((it) => whole({ only: it }, 'only', 0))
    const given = (name: string) => (values[name] === undefined ? undefined : whole(values, name))
    const [seed = 1, faults, atOnce = 1] = ['seed', 'faults', 'at-once'].map(given)
    return { kind: asked[0]!, count: whole(values, asked[0]!), seed, only, faults, atOnce }
  } catch (error) {
    say(`error: ${(error as Error).message}`)
    say('hint: npm run chaos -- --runs 10 --seed 1')
    process.exit(2)
  }
}

/** The matrix is all of it, where nobody says how many cells. */
function counted(args: readonly string[]): string[] {
  return args.flatMap((it, index) => (it === '--matrix' && !/^\d/.test(args[index + 1] ?? '') ? [it, '999999'] : [it]))
}

function whole(values: Readonly<Record<string, unknown>>, name: string, least = 1): number {
  const text = String(values[name])
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new Error(`"--${name} ${text}" is no whole number from ${least}`)
  return Number(text)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
