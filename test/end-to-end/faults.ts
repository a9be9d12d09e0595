// What goes wrong around a run, done on purpose to one sandbox and to nothing else, each process by its own id.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { type Entry, ledgerEntries } from '../../chaos/chain.js'
import { openSession } from '../../sandbox/index.js'
import { runDigits } from '../../src/plan/ledger.js'
import { stateDirectory } from './leftovers.js'
import type { Operator } from './operator.js'

/** Ends every SSH connection to the sandbox; its server, and what runs detached on the host, live on. */
export function cutConnections({ sandbox }: Operator): void {
  const server = String(sandbox.processes.sshd!.pid)
  const sessions = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === server)
  for (const pid of sessions) process.kill(Number(pid), 'SIGKILL')
}

function parentOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  } catch {
    return undefined // it ended meanwhile
  }
}

/** The sandbox's own engine, and the containers of its services. */
export async function dockerOf(root: string) {
  const { env, paths } = (await openSession(root))!
  const docker = async (...words: string[]) => (await promisify(execFile)('docker', words, { env })).stdout.trim()
  const containerOf = async (service: string) => {
    const labels = [`com.docker.compose.project=${paths.project}`, `com.docker.compose.service=${service}`]
    return await docker('ps', '--quiet', ...labels.flatMap((label) => ['--filter', `label=${label}`]))
  }
  return { docker, containerOf }
}

/** `docker restart` of the database's container, without time for a farewell. */
export async function restartDatabase(root: string): Promise<void> {
  const { docker, containerOf } = await dockerOf(root)
  await docker('restart', '--time', '0', await containerOf('aria-db'))
}

/** Locks a table against everybody for as long as the work takes, or until the server ends the session. */
export async function whileLocked(operator: Operator, table: string, work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: operator.sandbox.database })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(`begin; lock table ${table} in access exclusive mode`)
    await work()
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Waits until a job of that name, such as `takeRestorePoint.do.1.dump`, runs on the host. */
export async function untilJobRuns(operator: Operator, run: string, name: string): Promise<void> {
  const jobs = join(stateDirectory(operator), 'jobs')
  const digits = runDigits({ runId: await operator.runId(run) })
  const runs = () =>
    readdirSync(jobs).some(
      (job) =>
        job.startsWith(`${digits}.`) &&
        job.endsWith(`-${name}`) &&
        existsSync(join(jobs, job, 'started.1')) &&
        !existsSync(join(jobs, job, 'exit.1')),
    )
  await until(`job ${name}`, () => existsSync(jobs) && runs())
}

/** Waits until the ledger says that the act began and not that it ended. */
export async function untilActRuns(operator: Operator, run: string, act: string): Promise<void> {
  const state = stateDirectory(operator)
  const runId = await operator.runId(run)
  const read: Entry[] = []
  await until(`act ${act}`, () => {
    read.push(...ledgerEntries(state, read.length))
    const mine = read.flatMap(({ entry }) =>
      'act' in entry && entry.act === act && entry.run.runId === runId ? [entry.kind] : [],
    )
    return mine.includes('start') && !mine.includes('end')
  })
}

async function until(what: string, seen: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!seen()) {
    if (Date.now() > deadline) throw new Error(`${what} was never seen`)
    await sleep(5)
  }
}
