// A host for tests: a real sshd, fresh state directories, the shells, and a hold on the helper at named points.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { callHelper, helper, linesOf } from '../../src/adapters/host/helper.js'
import { Host } from '../../src/adapters/host.js'
import type { AcquireOutcome, Holder, TakeReason } from '../../src/adapters/host.js'
import type { SshConnection } from '../../src/adapters/ssh.js'
import { find, startSshd } from '../support/sshd.js'
import type { Sshd } from '../support/sshd.js'

/** Words in place of others in the helper's text: how a flaw is made on purpose. */
export type Flaw = readonly (readonly [from: string, to: string])[]

export interface Ground {
  readonly sshd: Sshd
  readonly shell: string
  /** One connection for each call in turn, a few in all, since a connection carries 8 sessions. */
  readonly ssh: () => Promise<SshConnection>
  site(input?: { readonly flaw?: Flaw; readonly shell?: string }): Promise<Site>
  stop(): Promise<void>
}

export async function startGround(shell: string): Promise<Ground> {
  for (const word of ['dash', 'bash', 'busybox']) if (shell.includes(word)) find(word, word)
  const sshd = await startSshd()
  const connections = await Promise.all(Array.from({ length: 4 }, () => sshd.connect()))
  let turn = 0
  const ssh = async () => connections[(turn += 1) % connections.length] as SshConnection
  return {
    sshd,
    shell,
    ssh,
    site: (input = {}) => makeSite({ sshd, ssh, shell: input.shell ?? shell, flaw: input.flaw ?? [] }),
    stop: async () => {
      // What a story left behind, by the names of its files in its arguments; sshd itself is stopped by its own id.
      for (let left = leftIn(sshd); left.length > 0; left = leftIn(sshd)) {
        for (const pid of left) kill(pid)
        await pause(20)
      }
      await sshd.stop()
    },
  }
}

function leftIn(sshd: Sshd): readonly number[] {
  const own = processesWith(sshd.directory, 'sshd_config')
  return processesWith(sshd.directory).filter((pid) => !own.includes(pid) && pid !== process.pid && lives(pid))
}

/** One target's state directory. */
export interface Site {
  readonly state: string
  readonly host: Host
  /** The same target, seen by a caller whose helper stops at armed points. */
  readonly slow: Host
  readonly hold: Hold
  over(ssh: () => Promise<SshConnection>): Host
  /** One operation of the helper, as it is; `slow` by the caller that stops at armed points. */
  op(words: readonly (string | number)[], payload?: string): Promise<ReadonlyMap<string, readonly string[]>>
  slowOp(words: readonly (string | number)[], payload?: string): Promise<ReadonlyMap<string, readonly string[]>>
  path(name: string): string
  read(name: string): string
  lines(name: string): number
}

export interface Hold {
  arm(point: string): void
  /** The pid of the process that stands at that point, once one does. */
  reached(point: string): Promise<number>
  free(point: string): void
}

async function makeSite(input: {
  sshd: Sshd
  ssh: () => Promise<SshConnection>
  shell: string
  flaw: Flaw
}): Promise<Site> {
  const name = randomBytes(4).toString('hex')
  const state = join(input.sshd.directory, `state ${name}`)
  const points = join(input.sshd.directory, `points-${name}`)
  mkdirSync(points)
  const slowShell = `env STEPBACK_PAUSE=${points} ${input.shell}`
  const make = (shell: string, ssh = input.ssh) => new Host({ ssh, stateDirectory: state, shell })
  const host = make(input.shell)
  // Brings the helper, which a look would not.
  await host.linksExclusively()
  if (input.flaw.length > 0) writeFileSync(join(state, helper().name), broken(input.flaw))
  const call = (shell: string) => async (words: readonly (string | number)[], payload?: string) =>
    linesOf(
      await callHelper({
        options: { ssh: input.ssh, stateDirectory: state, shell },
        words,
        payload: payload === undefined ? undefined : Buffer.from(payload),
      }),
    )
  const path = (file: string) => join(state, file)
  const read = (file: string) => (existsSync(path(file)) ? readFileSync(path(file), 'utf8') : '')
  return {
    state,
    host,
    slow: make(slowShell),
    hold: holdAt(points),
    over: (ssh) => make(input.shell, ssh),
    op: call(input.shell),
    slowOp: call(slowShell),
    path,
    read,
    lines: (file) => read(file).split('\n').length - 1,
  }
}

function broken(flaw: Flaw): string {
  let text = helper().text.toString('utf8')
  for (const [from, to] of flaw) {
    if (text.split(from).length !== 2) throw new Error(`not exactly once in the helper: ${from}`)
    text = text.replace(from, () => to)
  }
  return text
}

function holdAt(directory: string): Hold {
  return {
    arm: (point) => writeFileSync(join(directory, point), ''),
    reached: async (point) => {
      for (;;) {
        const file = readdirSync(directory).find((name) => name.startsWith(`${point}.reached.`))
        if (file) return Number(file.split('.').at(-1))
        await pause(10)
      }
    },
    free: (point) => rmSync(join(directory, point), { force: true }),
  }
}

export function holder(run: string, workflow = `deploy-${run}`): Holder {
  return { workflowId: workflow, runId: run, namespace: 'default', kind: 'deploy' }
}

/** Takes the lease, or throws. */
export async function take(host: Host, run: string, saw?: TakeReason): Promise<number> {
  const outcome = await acquire(host, run, saw)
  if (outcome.outcome !== 'acquired') throw new Error(`not acquired: ${JSON.stringify(outcome)}`)
  return outcome.token
}

export function acquire(host: Host, run: string, saw?: TakeReason): Promise<AcquireOutcome> {
  return host.acquire({ holder: holder(run), mayTake: async () => saw })
}

/** Processes of this machine whose arguments contain all of these words. */
export function processesWith(...words: readonly string[]): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => hasWords(pid, words))
}

/** Kills them, looked at once more: what a call begins has its arguments at first, and is another program soon. */
export function killWith(...words: readonly string[]): void {
  for (const pid of processesWith(...words)) if (hasWords(pid, words)) kill(pid)
}

function hasWords(pid: number, words: readonly string[]): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return words.every((word) => text.includes(word))
  } catch {
    return false
  }
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}

export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(') ') + 2))
  } catch {
    return false
  }
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** A seeded source of numbers below a bound, so that a failing run can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export function seedOf(): number {
  const seed = Number(process.env['STEPBACK_SEED'] ?? randomBytes(4).readUInt32BE())
  console.log(`seed ${seed} (repeat with STEPBACK_SEED=${seed})`)
  return seed
}
