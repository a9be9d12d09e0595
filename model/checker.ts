// Spin makes a program of a model, gcc compiles it, and that program searches all that can happen within the bounds.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackages, which } from '../sandbox/install/apt.js'
import { packageRoot } from '../sandbox/paths.js'
import { run } from '../sandbox/run.js'

/** Values of a model's switches by name, in place of their defaults. */
export type Switches = Readonly<Record<string, number>>

export interface Found {
  readonly states: number
  readonly seconds: number
  /** False where the search came to an end without having seen everything. */
  readonly complete: boolean
  /** What was broken, as the model says it; null where nothing was. */
  readonly broken: string | null
  /** The way there, step by step. */
  readonly trace: string
}

/** Debian's packages; elsewhere a person installs them. */
export async function provide(): Promise<void> {
  const there = await Promise.all([which('spin'), which('gcc')])
  if (there.every((it) => it !== undefined)) return
  await installPackages(['spin', 'gcc', 'libc6-dev'], 'install spin (https://spinroot.com) and gcc, and start it again')
}

/** Searches depth first, which needs least memory; `shortest` breadth first, for a counterexample that can be read. */
export async function search(model: string, switches: Switches, options: { shortest: boolean }): Promise<Found> {
  const directory = mkdtempSync(join(tmpdir(), 'stepback-model-'))
  try {
    const set = Object.entries(switches).map(([name, value]) => `-D${name}=${value}`)
    const file = join(packageRoot(), 'model', `${model}.pml`)
    const inside = { cwd: directory, timeoutMs: 3_600_000 }
    await run(['spin', '-a', ...set, file], inside)
    const kind = options.shortest ? ['-DBFS'] : []
    await run(['gcc', '-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-DVECTORSZ=4096', ...kind, '-o', 'pan', 'pan.c'], inside)
    const began = performance.now()
    const { stdout } = await run([join(directory, 'pan'), '-m2000000'], inside)
    const seconds = (performance.now() - began) / 1_000
    const trail = join(directory, `${model}.pml.trail`)
    const trace = existsSync(trail)
      ? (await run(['spin', '-t', '-p', '-g', '-k', trail, ...set, file], inside)).stdout
      : ''
    return { ...read(stdout), seconds, trace }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What pan prints of a search. */
export function read(output: string): Omit<Found, 'seconds' | 'trace'> {
  const states = /(\d+) states, stored/.exec(output)?.[1]
  const errors = /errors: (\d+)/.exec(output)?.[1]
  if (states === undefined || errors === undefined) throw new Error(`the search did not end:\n${output}`)
  const broken = errors === '0' ? null : (/^pan:\d*:? (.*?) \(at depth/m.exec(output)?.[1] ?? 'something')
  return { states: Number(states), complete: !/Search not completed|max search depth too small/.test(output), broken }
}

/** So many searches at once; each takes one processor. */
export const searchesAtOnce = Math.min(2, availableParallelism())
