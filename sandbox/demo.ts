// The main job, told on the sandbox with the commands that an operator types: a good release, a bad one, the way back.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { packageRoot } from './paths.js'
import { type Sandbox, up } from './index.js'

interface Told {
  readonly what: string
  readonly exitCode: number
  readonly version: string
  readonly rows: number
  readonly durationMs: number
}

const say = (line = '') => process.stderr.write(`${line}\n`)

const sandbox = await up({ progress: (line) => say(`  ${line}`) })
const start = await look(sandbox)
say()
say(`Aria ${start.version} runs in the sandbox with ${start.rows} messages. Temporal's Web UI: ${sandbox.temporal.ui}`)

const told: Told[] = []
await tell('a good release', 0, 'deploy', 'aria', ...release('2.1.0'), '--reason', 'the demo: a good release')
await tell('a bad release', 4, 'deploy', 'aria', ...release('2.2.0-broken'), '--reason', 'the demo: a bad release')
await tell('a rollback on request', 0, 'rollback', 'aria', '--reason', 'the demo: back to the release before')
summarize()

/** Runs one command of the CLI, shown as it is typed, and checks that it ended as the story says. */
async function tell(what: string, expected: number, ...words: string[]): Promise<void> {
  say()
  say(`── ${what}`)
  say(`$ npx stepback ${words.map((word) => (/\s/.test(word) ? JSON.stringify(word) : word)).join(' ')}`)
  const began = performance.now()
  const main = join(packageRoot(), 'dist/src/cli/main.js')
  const child = spawn(process.execPath, [main, ...words, '--config', sandbox.config], { stdio: 'inherit' })
  const [exitCode] = (await once(child, 'exit')) as [number]
  told.push({ what, exitCode, ...(await look(sandbox)), durationMs: performance.now() - began })
  if (exitCode === expected) return
  say()
  say(`This should have ended with exit code ${expected}, and it ended with ${exitCode}.`)
  process.exit(1)
}

function release(version: string): string[] {
  return ['--version', version, '--release', sandbox.releases[version] ?? '']
}

/** What the application itself says, asked from outside. */
async function look({ api }: Sandbox): Promise<{ version: string; rows: number }> {
  const ask = async (path: string) => (await (await fetch(`${api}${path}`)).json()) as Record<string, unknown>
  const [status, count] = await Promise.all([ask('/api/status'), ask('/api/messages/count')])
  return { version: String(status['version']), rows: Number(count['count']) }
}

function summarize(): void {
  const [good, bad, back] = told as [Told, Told, Told]
  const took = (it: Told) => `${(it.durationMs / 1_000).toFixed(1)} s`
  say()
  say('── what happened')
  say(`deployed    2.1.0 in ${took(good)}: files, images, migration a007; ${good.rows} messages`)
  say(`failed      2.2.0-broken: its health check failed after its start, behind an irreversible migration`)
  say(`put back    ${bad.version} by itself, database included, in ${took(bad)} all in all; ${bad.rows} messages`)
  say(`rolled back to ${back.version} on request in ${took(back)}; ${back.rows} messages, ${start.rows} at the start`)
  say()
  say(`See every step:  ${sandbox.temporal.ui}`)
  say(`Go on yourself:  npx stepback status aria --config ${sandbox.config}`)
  say('The sandbox keeps running; `npx stepback sandbox down` removes all of it.')
}
