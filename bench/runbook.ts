// Every command of the runbook and of the deployment page as they are typed, each from the state that it is meant for;
// those of the reference stack's own list are timed, next to what the hand-run procedure takes.

import { spawn } from 'node:child_process'
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../sandbox/paths.js'
import { Ground, timed } from './ground.js'
import { type Result, type Say, median, round } from './measurement.js'

/** By hand, in seconds, as its operators say: `stepback` and what its words begin with. */
const byHand: Readonly<Record<string, readonly [command: string, seconds: number]>> = {
  full: ['rollback aria', 300],
  'one migration': ['rollback aria --scope database --to -1', 30],
  'one container': ['rollback aria --scope containers --services aria-api', 120],
  'all containers': ['rollback aria --scope containers', 120],
  'emergency stop': ['emergency aria stop', 10],
}

/** What a person types while another run waits; the tests of gates type them. */
const atGates = /^(watch|approve|reject|resolve|report) /

export async function measureRunbook(say: Say): Promise<readonly Result[]> {
  const commands = documented()
  return await Ground.during(say, (ground) =>
    ground.withWorker(async () => {
      layOutReleases(ground)
      await ground.deploy()
      for (const words of commands) {
        const { took } = await once(ground, words)
        say(`stepback ${words.join(' ')}: ${took.toFixed(1)} s`)
      }
      const rows: Result[] = []
      for (const [name, [command, hand]] of Object.entries(byHand)) {
        const words = commands.find((it) => it.join(' ').startsWith(command))
        if (!words) throw new Error(`the runbook has no "stepback ${command}" any more`)
        const times: number[] = []
        for (let run = 0; run < 5; run++) times.push((await once(ground, words)).took)
        rows.push(row(name, command, times, hand))
      }
      return rows
    }),
  )
}

/** The commands of both pages, each once, in their order. */
function documented(): string[][] {
  const text = ['ROLLBACK.md', 'DEPLOYMENT.md'].map((page) => readFileSync(join(packageRoot(), 'docs', page), 'utf8'))
  const typed = [...text.join('\n').matchAll(/^ +stepback ([^#\n]+)/gm)].map(([, words]) => words!.trim())
  return [...new Set(typed)]
    .filter((words) => !atGates.test(words))
    .map((words) => [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!))
}

/** From 2.1.0, whatever ran before; what only looks needs no deploy, and `start` needs what `stop` left. */
async function once(ground: Ground, typed: readonly string[]) {
  const changes = ['rollback', 'emergency', 'deploy'].includes(typed[0]!) && !typed.includes('--dry-run')
  if (typed[0] === 'emergency' && typed[2] === 'start')
    await stepback(ground, ['emergency', 'aria', 'stop', '--reason', 'x'])
  else if (changes) await ground.deploy()
  return await timed(() => stepback(ground, named(ground, typed)))
}

/** Ids of the page become those of this sandbox. What would drop tables that the release needs is only looked at. */
function named(ground: Ground, typed: readonly string[]): string[] {
  const points = readdirSync(ground.target.backups)
    .flatMap((name) => /^manifest_(.+)\.json$/.exec(name)?.[1] ?? [])
    .toSorted()
  const words = typed.map((word) => {
    const version = /^\d{8}T\d{6}Z-(.+)$/.exec(word)?.[1]
    return version === undefined ? word : points.findLast((it) => it.endsWith(`-${version}`))!
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

function row(name: string, command: string, times: readonly number[], hand: number): Result {
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
    note: `stepback ${command}, from the command to its end, with a restore point before it and health behind it`,
  }
}
