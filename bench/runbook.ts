// Every command of the runbook and of the deployment page as they are typed, each from the state that it is meant for;
// those of the reference stack's own list are timed, next to what the hand-run procedure takes.

import { spawn } from 'node:child_process'
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'
import { Ground, timed } from './ground.js'
import { type Result, type Say, median, round, runs } from './measurement.js'
import { commandsOf, formOf, operatorPages, quickReference, readPage, runbook, wordsOf } from './pages.js'

/** By hand, in seconds, as its operators say. */
const byHand: Readonly<Record<string, readonly [command: string, seconds: number]>> = {
  full: ['stepback rollback aria', 300],
  'one migration': ['stepback rollback aria --scope database --to -1', 30],
  'one container': ['stepback rollback aria --scope containers --services aria-api', 120],
  'all containers': ['stepback rollback aria --scope containers', 120],
  'emergency stop': ['stepback emergency aria stop --reason "…"', 10],
}

/** What a person types while another run waits, and what goes on watching: end-to-end tests type them. */
const beside = /^stepback (?:watch|approve|reject|resolve|report|guard) /

export async function measureRunbook(say: Say): Promise<readonly Result[]> {
  const commands = new Map(documented().map((it) => [formOf(it), wordsOf(it).slice(1)]))
  return await Ground.during(say, (ground) =>
    ground.withWorker(async () => {
      layOutReleases(ground)
      await ground.deploy()
      const times = new Map<string, number[]>()
      const once = async (form: string) => {
        try {
          const took = await run(ground, commands.get(form)!)
          times.set(form, [...(times.get(form) ?? []), took])
          say(`${form}: ${took.toFixed(1)} s`)
        } catch (error) {
          // What took long to measure is not thrown away for what comes behind it.
          say(`error: ${(error as Error).message}`)
          process.exitCode = 1
        }
      }
      for (const form of commands.keys()) await once(form)
      for (let again = 1; again < runs; again++) for (const [form] of Object.values(byHand)) await once(form)
      writeTimes(times)
      return Object.entries(byHand).flatMap(([name, [form, hand]]) => {
        const all = times.get(form)
        return all ? [row(name, form, all, hand)] : []
      })
    }),
  )
}

/** Of both pages, each once, in their order. */
function documented(): string[] {
  const all = operatorPages.flatMap((page) => commandsOf(readPage(page)))
  return all.filter((it) => it.startsWith('stepback ') && !beside.test(it))
}

/** What the quick reference says of times, as its test compares it. */
function writeTimes(times: ReadonlyMap<string, readonly number[]>): void {
  const forms = quickReference(readPage(runbook)).map(({ command }) => formOf(command))
  const measured = forms.flatMap((form) => {
    const all = times.get(form)
    return all ? [[form, { seconds: round(median(all)), runs: all.length }] as const] : []
  })
  const text = JSON.stringify(Object.fromEntries(measured), null, 2)
  writeFileSync(join(packageRoot(), 'bench', 'runbook.json'), `${text}\n`)
}

async function run(ground: Ground, typed: readonly string[]): Promise<number> {
  await prepare(ground, typed)
  return (await timed(() => stepback(ground, named(ground, typed)))).took
}

/** `start` needs what `stop` left, and 2.0 was written for the migration before; what only looks needs nothing. */
async function prepare(ground: Ground, typed: readonly string[]): Promise<void> {
  const [command, , procedure] = typed
  if (command === 'emergency' && procedure === 'start') return void (await ground.emergency('stop'))
  if (!['rollback', 'emergency', 'deploy'].includes(command!)) return
  if (command !== 'deploy' && typed.includes('--dry-run')) return
  await begin(ground)
  if (command === 'deploy') await ground.rollback({ scope: 'database', to: '-1' })
}

/** 2.1.0 was just deployed over 2.0.0, whatever ran before: deployed over itself it would have nothing to go back to. */
async function begin(ground: Ground): Promise<void> {
  await ground.rollback({ to: newestOf(ground, '2.0.0') })
  await ground.deploy()
}

function newestOf({ target }: Ground, version: string): string {
  const points = readdirSync(target.backups).flatMap((name) => /^manifest_(.+)\.json$/.exec(name)?.[1] ?? [])
  return points.toSorted().findLast((it) => it.endsWith(`-${version}`))!
}

/** Ids of the page become those of this sandbox. What would drop tables that the release needs is only looked at. */
function named(ground: Ground, typed: readonly string[]): string[] {
  const words = typed.map((word) => {
    const version = /^(?:\d{8}T\d{6}Z-(.+)|<id>)$/.exec(word)
    return version === null ? word : newestOf(ground, version[1] ?? '2.0.0')
  })
  return words.includes('a005_scheduler_history') ? [...words, '--dry-run'] : words
}

/** As typed, where the releases are. */
async function stepback(ground: Ground, words: readonly string[]): Promise<void> {
  const main = join(packageRoot(), 'dist/src/cli/main.js')
  const child = spawn(process.execPath, [main, ...words, '--config', ground.configFile], {
    cwd: dirname(ground.session.paths.releases),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code === 0) return
  throw new Error(`"stepback ${words.join(' ')}" ended with exit status ${code}\n${Buffer.concat(said).toString()}`)
}

/** The hotfix of the page. */
function layOutReleases({ session }: Ground): void {
  const { releases } = session.paths
  cpSync(join(releases, '2.0.0'), join(releases, '2.0.1'), { recursive: true })
  writeFileSync(join(releases, '2.0.1', 'VERSION'), '2.0.1\n')
}

function row(name: string, form: string, times: readonly number[], hand: number): Result {
  const ours = median(times)
  return {
    name: `runbook ${name}`,
    unit: 's',
    ours: round(ours),
    peer: hand,
    against: 'by hand, as its operators say',
    ratio: round(ours / hand),
    goal: 'not slower',
    holds: ours <= hand,
    runs: times.length,
    note: `${form}, from the command to its end, with a restore point before it and health behind it`,
  }
}
