// Processes that outlive the command that started them. One is known by its pid together with its start time: a pid
// alone may belong to somebody else by now. One that was started again by hand is found by its command line.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { attempt, waitFor } from './run.js'

export interface OwnProcess {
  readonly pid: number
  readonly started: string
  readonly command: readonly string[]
  readonly log: string
}

/** Starts it in a session of its own, its output in `log`; whoever started it may end. */
export async function startProcess(input: {
  readonly command: readonly string[]
  readonly log: string
  readonly env?: NodeJS.ProcessEnv
}): Promise<OwnProcess> {
  const { command, log, env = process.env } = input
  const output = openSync(log, 'a', 0o600)
  const child = spawn(command[0]!, command.slice(1), {
    detached: true,
    env,
    cwd: '/',
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  child.unref()
  return { pid: child.pid!, started: (await startIdentity(child.pid!)) ?? '', command, log }
}

/** The process if it runs: as it was recorded, or started again by its command; else undefined. */
export async function findProcess(known: OwnProcess | undefined): Promise<OwnProcess | undefined> {
  if (!known) return undefined
  if (await isRunning(known)) return known
  const pid = await pidByCommand(known.command)
  const started = pid && (await startIdentity(pid))
  return pid && started ? { ...known, pid, started } : undefined
}

export async function isRunning(known: Pick<OwnProcess, 'pid' | 'started'>): Promise<boolean> {
  const identity = await startIdentity(known.pid)
  return identity !== undefined && identity === known.started
}

/** Ends it and waits until it is gone; after `graceMs` it is killed. */
export async function stopProcess(known: OwnProcess | undefined, graceMs = 15_000): Promise<void> {
  const found = await findProcess(known)
  if (!found) return
  signal(found.pid, 'SIGTERM')
  const gone = async () => !(await isRunning(found))
  await waitFor('end of process', gone, { timeoutMs: graceMs }).catch(() => signal(found.pid, 'SIGKILL'))
  await waitFor(`end of process ${found.pid}`, gone, { timeoutMs: 5_000 })
}

/** When a process started, as the system counts it; undefined where there is none, or only its remains. */
export async function startIdentity(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return linuxIdentity(pid)
  const { code, stdout } = await attempt(['ps', '-o', 'lstart=', '-p', String(pid)])
  return code === 0 && stdout.trim() ? stdout.trim() : undefined
}

function linuxIdentity(pid: number): string | undefined {
  try {
    // the name in parentheses may hold spaces and parentheses itself: count from the last one
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : `${fields[19]}@${bootId()}`
  } catch {
    return undefined
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8)
}

/** sshd writes its state around its command line, so a title may go on; nothing may stand before but its name. */
async function pidByCommand(command: readonly string[]): Promise<number | undefined> {
  const words = command.join(' ')
  const matches = (line: string) => [words, `sshd: ${words}`].some((it) => line === it || line.startsWith(`${it} [`))
  if (process.platform !== 'linux') {
    const { stdout } = await attempt(['ps', '-axo', 'pid=,command='])
    const line = stdout.split('\n').find((it) => matches(it.trim().replace(/^\d+\s+/, '')))
    return line ? Number.parseInt(line, 10) : undefined
  }
  const pids = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
  return pids.find((pid) => matches(commandLine(pid)))
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it ended by itself in between
  }
}
