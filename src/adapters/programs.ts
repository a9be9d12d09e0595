// Programs that run beside the worker: never through a shell, in a process group of their own that never outlives them.

import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { delimiter, resolve } from 'node:path'

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'late' }
  | { readonly kind: 'not-started'; readonly why: string }

/** Leaders of the groups that run now; a worker that exits takes them along. */
const groups = new Set<number>()
process.on('exit', () => groups.forEach((group) => signalGroup(group, 'SIGKILL')))

const killAfterMs = 5_000

/** Runs it to its end, what it prints going to a new file. An abort ends all of its group, and is thrown. */
export async function runProgram(input: {
  readonly argv: readonly string[]
  readonly directory: string
  readonly environment: NodeJS.ProcessEnv
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly log: string
}): Promise<ProgramEnd> {
  const file = await open(input.log, 'wx', 0o600)
  try {
    const end = await started(input, file.fd)
    input.signal.throwIfAborted()
    return end
  } finally {
    await file.close()
  }
}

/** Whether a program can be run by that name, as seen from a directory. */
export async function findProgram(name: string, directory: string): Promise<boolean> {
  const places = name.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter)
  const found = await Promise.all(places.map((place) => isExecutable(resolve(directory, place, name))))
  return found.includes(true)
}

function started(input: Parameters<typeof runProgram>[0], output: number): Promise<ProgramEnd> {
  const [program = '', ...words] = input.argv
  const { directory: cwd, environment: env } = input
  const child = spawn(program, words, { cwd, env, detached: true, stdio: ['ignore', output, output] })
  const group = child.pid
  if (group !== undefined) groups.add(group)
  let late = false
  const end = () => group !== undefined && endGroup(group)
  const timer = setTimeout(() => {
    late = true
    end()
  }, input.timeoutMs)
  if (input.signal.aborted) end()
  input.signal.addEventListener('abort', end, { once: true })
  return new Promise<ProgramEnd>((settle) => {
    child.once('error', (cause) => settle({ kind: 'not-started', why: cause.message }))
    child.once('exit', (status, signal) => {
      if (late) settle({ kind: 'late' })
      else settle(status === null ? { kind: 'signalled', signal: signal! } : { kind: 'exited', status })
    })
  }).finally(() => {
    clearTimeout(timer)
    input.signal.removeEventListener('abort', end)
    if (group === undefined) return
    signalGroup(group, 'SIGKILL')
    groups.delete(group)
  })
}

function endGroup(group: number): void {
  signalGroup(group, 'SIGTERM')
  setTimeout(() => groups.has(group) && signalGroup(group, 'SIGKILL'), killAfterMs).unref()
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // It is gone.
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
