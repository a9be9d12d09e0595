// Docker itself, by what it was asked for anyway where that tells enough: to ask it about itself takes longest of all.

import { measureDisks } from '../../commands/disk.js'
import { dockerFacts, dockerRoot, parseBytes } from '../../commands/observe.js'
import { together } from '../together.js'
import { unlessLost } from './containers.js'
import type { Answer, Look } from './look.js'

/** A program: its version, or why there is none. */
export interface Program {
  readonly version: string | null
  readonly error: string
}

export interface Engine {
  readonly docker: Program
  readonly compose: Program
  /** Free bytes where it keeps images and containers; NaN where nobody can tell. */
  readonly freeBytes: number
}

/** `config`: what Compose made of the stack. `versions`: whether anybody will read them. */
export async function readEngine(
  look: Look,
  { config, versions }: { readonly config: Promise<Answer>; readonly versions: boolean },
): Promise<Engine> {
  const quick = versions ? null : await readQuickly(look, config)
  if (quick) return quick
  const [docker, read] = await together([look.try(dockerFacts), config])
  const [engine = '', plugin = '', , free] = docker.stdout.split('\n')
  // One that reads the stack is there, even where the client does not list it.
  const compose = plugin === '' && read.exitCode === 0 ? unknown : plugin
  return {
    docker: program(engine, docker),
    compose: program(compose, read),
    freeBytes: docker.exitCode === 0 ? parseBytes(free) : Number.NaN,
  }
}

/** Where it keeps its data; null where nobody can tell. */
export async function readDockerRoot(look: Look): Promise<string | null> {
  return (await rootTold(look)) ?? ((await look.look(dockerRoot)).trim() || null)
}

const unknown = 'of an unknown version'

/** Null where something is left open. */
async function readQuickly(look: Look, config: Promise<Answer>): Promise<Engine | null> {
  const [listing, read] = await together([look.containers(), config])
  const root = listing.exitCode === 0 && read.exitCode === 0 ? await rootTold(look) : undefined
  if (root === undefined) return null
  const { stdout } = await look.try(measureDisks([root]))
  const [free] = stdout.split(' ')
  return { docker: program(unknown, listing), compose: program(unknown, read), freeBytes: parseBytes(free) }
}

/** As one of the stack's own containers tells it that ever ran. */
async function rootTold(look: Look): Promise<string | undefined> {
  const of = (path = '') => /^(\/.+)\/containers\/[0-9a-f]{64}\/resolv\.conf$/.exec(path)?.[1]
  const containers = await look.inspected().catch(unlessLost)
  return containers.map((it) => of(it.ResolvConfPath)).find((it) => it !== undefined)
}

function program(version: string, answer: Answer): Program {
  const error = answer.stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? `exit status ${answer.exitCode}`
  return { version: version === '' ? null : version, error }
}
