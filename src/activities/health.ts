import { setTimeout as sleep } from 'node:timers/promises'
import { firstContainer, insideContainer, lastLines } from '../commands/compose.js'
import { fileFacts } from '../commands/file-facts.js'
import { quote, script } from '../commands/shell.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import { type Poll, allHealthy, describeFailing, hasRecovered, isFailing } from '../plan/health.js'
import type { HealthReport } from '../plan/progress.js'
import type { ActDefinition } from './act.js'
import { type ActContext, doneAgain } from './context.js'
import type { Deps } from './deps.js'
import { foundBefore } from './observe/containers.js'
import type { HealthCheck, Target } from '../config/schema.js'
import { againIfQuick } from '../adapters/again.js'
import type { Host } from '../adapters/host.js'
import { execInLane } from '../adapters/host/lanes.js'
import type { SshConnection } from '../adapters/ssh.js'

export const checkHealth: ActDefinition<'checkHealth'> = {
  jobs: [],
  looksFirst: true,
  run: async (context) => {
    const { health } = context.target
    const deadline = Date.now() + durationMs(health.timeout)
    const polls: Poll[] = []
    while (!hasRecovered(polls, health)) {
      if (polls.length > 0) await sleep(durationMs(health.interval), undefined, { signal: context.signal })
      polls.push(await poll(context))
      const last = polls.at(-1)!
      if (Date.now() > deadline && !allHealthy(last)) throw failed(`not healthy within ${health.timeout}`, last)
    }
    return `${polls.at(-1)!.length} checks`
  },
}

/** A release that fails behind its start is undone as one that never started. */
export const watchHealth: ActDefinition<'watchHealth'> = {
  jobs: [],
  looksFirst: true,
  run: async (context) => {
    const { watch } = context.target
    const end = Date.now() + durationMs(watch.window)
    const polls: Poll[] = []
    // What fails when the window ends is watched on until it is decided: it may have begun only then.
    do {
      polls.push(await poll(context))
      if (isFailing(polls, watch)) throw failed(`${watch.failures} failing polls in a row`, polls.at(-1)!)
      await sleep(durationMs(watch.interval), undefined, { signal: context.signal })
    } while (Date.now() < end || !allHealthy(polls.at(-1)!))
    return `${watch.window}, ${polls.length} polls, ${polls.filter((it) => !allHealthy(it)).length} of them failing`
  },
}

export const checkVersion: ActDefinition<'checkVersion'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { version }) => {
    const { deps, target, signal } = context
    const ask = () => readVersion(deps, target)
    const found = await askedOften({ ask, well: (it) => it === version, target, signal })
    if (found === version) return null
    throw new StepbackError({
      type: 'StepFailed',
      message: `version "${found ?? 'none'}" answers, and "${version}" was expected`,
      hint: 'does the release say its own version, and did its services really start anew?',
    })
  },
}

/** The lines stay on the host, since they may hold secrets; what is shown is where they are and their checksum. */
export const collectLogs: ActDefinition<'collectLogs'> = {
  jobs: ['logs'],
  run: async (context, { lines: most, services, file: name = `logs_${context.safety}.txt` }) => {
    const { logs } = context.target
    if (!logs && !services) return null
    const file = `${context.backups}/${name}`
    const read = lastLines(context.stack.project, services ?? [logs!.service], most ?? logs!.lines)
    const stdout = await context.job(
      'logs',
      script(
        'umask 077',
        fileFacts,
        `{ ${read}; } >${quote(file)} 2>&1`,
        `echo "$(wc -l <${quote(file)}) $(sha256 ${quote(file)})"`,
      ),
      { holds: doneAgain },
    )
    const [lines, sha256 = ''] = stdout.trim().split(/\s+/)
    return `${lines} lines in ${file}, sha256 ${most === undefined ? sha256.slice(0, 12) : sha256}`
  },
}

/** Asks every check once, all at the same time. Through a connection that is lost nothing can be asked. */
export async function askChecks(input: {
  readonly deps: Asking
  readonly target: Target
  readonly host: Host
}): Promise<HealthReport[]> {
  const { deps, target, host } = input
  return await overPresent(deps, target, async (ssh) => {
    const reports = await Promise.all(target.health.checks.map((check) => askCheck({ deps, target, host, ssh }, check)))
    if (!allHealthy(reports)) await ensureConnected(ssh)
    return reports
  })
}

export async function readVersion(deps: Asking, target: Target): Promise<string | null> {
  const { version: where } = target
  if (!where) return null
  return await overPresent(deps, target, async (ssh) => {
    const version = await deps.http.field(ssh, where)
    if (version === null) await ensureConnected(ssh)
    return version
  })
}

type Asking = Pick<Deps, 'hosts' | 'http'>

async function askCheck(
  through: {
    readonly deps: Asking
    readonly target: Target
    readonly host: Host
    readonly ssh: SshConnection
  },
  check: HealthCheck,
): Promise<HealthReport> {
  const { deps, ssh } = through
  const { url, command, service } = check
  if (url !== undefined) return await deps.http.check(ssh, { ...check, url })
  const exitCode = await askInside(through, service ?? '', command ?? [])
  return { check: check.name, healthy: exitCode === 0, detail: `exit status ${exitCode}` }
}

/** A check is asked every few seconds, so its container is looked for only where Docker says that the last one is gone. */
async function askInside(
  { target, host, ssh }: { readonly target: Target; readonly host: Host; readonly ssh: SshConnection },
  service: string,
  words: readonly string[],
): Promise<number> {
  const inside = async (id: string) => (await host.look({ script: insideContainer(id, words) })).exitCode
  const found = foundBefore(ssh)
  const asked = `${target.name}/${service}`
  const before = found.get(asked)
  const answer = before === undefined ? notThere : await inside(before)
  if (answer !== notThere) return answer
  const { stdout } = await host.look({ script: `${firstContainer(target.compose.project, service)}\n` })
  const id = stdout.trim()
  if (id === '') return 1
  found.set(asked, id)
  return await inside(id)
}

const notThere = 125

/**
 * Asked again over the connection of then where the one that it was asked over is lost: watching for a minute, an act
 * would else lose all that it saw with each of them, and never come to an end.
 */
async function overPresent<T>({ hosts }: Asking, target: Target, ask: (ssh: SshConnection) => Promise<T>): Promise<T> {
  return await againIfQuick(async () => await ask(await hosts.ssh(target)))
}

/** What decides over a release is not left to one answer, which may have been lost: the last one counts. */
const mostAsked = 3

export async function askedOften<T>(input: {
  readonly ask: () => Promise<T>
  readonly well: (answer: T) => boolean
  readonly target: Target
  readonly signal?: AbortSignal
}): Promise<T> {
  const { ask, well, target, signal } = input
  for (let time = 1; ; time += 1) {
    const answer = await ask()
    if (well(answer) || time === mostAsked) return answer
    await sleep(durationMs(target.health.interval), undefined, signal ? { signal } : {})
  }
}

/** Throws `Unreachable` where no answer came because the way there is cut, which says nothing about the release. */
async function ensureConnected(ssh: SshConnection): Promise<void> {
  await execInLane(ssh, '/bin/sh', { command: 'true' })
}

function poll(context: ActContext): Promise<HealthReport[]> {
  return askChecks(context)
}

function failed(why: string, last: Poll): StepbackError {
  return new StepbackError({ type: 'StepFailed', message: `${why}: ${describeFailing(last)}` })
}
