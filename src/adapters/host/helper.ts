// Calls the helper on the host, and brings it there where it is missing.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Answer, answerOf, begins, helperCall, helperParts, installCall } from '../../commands/helper.js'
import { StepbackError } from '../../plan/failure.js'
import type { SshConnection } from '../ssh.js'
import { type CallResult, execInLane } from './lanes.js'
import { tryPlain } from './plain.js'

export interface HelperOptions {
  readonly ssh: () => Promise<SshConnection>
  readonly stateDirectory: string
  /** The words that run the helper and its scripts on the host; `/bin/sh` but in tests. */
  readonly shell: string
}

export interface Reply {
  readonly status: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

interface Call {
  readonly options: HelperOptions
  readonly words: readonly (string | number)[]
  readonly payload?: Buffer | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Calls one operation. What the helper refuses is thrown by its kind; no answer is `Unreachable`, never an answer. What
 * begins nothing leaves no trace on a host where nothing was begun, and finds nothing there.
 */
export async function callHelper(input: Call): Promise<Reply> {
  const { options, words } = input
  for (let attempt = 1; ; attempt += 1) {
    const { ssh, result, answer } = await ask(input)
    if (answer.kind === 'answer') return answer
    if (answer.kind === 'failed') throw refusedBy({ code: answer.code, message: answer.message, options, words })
    // Without a beginning nothing was done, so calling again is safe.
    if (answer.kind === 'unfinished' || attempt > 1) {
      throw noAnswer({ options, words, said: result.stderr, exitCode: result.exitCode })
    }
    if (!(await install(options, ssh, words))) return await callNobody(ssh, input)
  }
}

/** One connection that is lost takes the answers to all along that are asked beside each other, a dozen for a plan. */
const mostAsked = 5

interface Asked {
  readonly ssh: SshConnection
  readonly result: CallResult
  readonly answer: Answer
}

/**
 * Asked again at once where the answer was lost: every operation may be repeated, and an act that asks a dozen things
 * would else fail of each single one.
 */
async function ask(input: Call): Promise<Asked> {
  for (let time = 1; ; time += 1) {
    const ssh = await input.options.ssh()
    try {
      const asked = await askOnce(input, ssh)
      if (asked.answer.kind !== 'unfinished' || time === mostAsked) return asked
    } catch (error) {
      const lost = error instanceof StepbackError && error.type === 'Unreachable'
      if (!lost || time === mostAsked || input.signal?.aborted) throw error
    }
  }
}

async function askOnce({ options, words, payload, signal }: Call, ssh: SshConnection): Promise<Asked> {
  const nonce = randomBytes(8).toString('hex')
  const command = helperCall({ ...options, helper: helper().name, nonce, words })
  const result = await execInLane(ssh, options.shell, { command, stdin: payload, signal })
  return { ssh, result, answer: answerOf({ nonce, stdout: result.stdout, stderr: result.stderr }) }
}

async function callNobody(ssh: SshConnection, { words, payload, signal }: Call): Promise<Reply> {
  if (words[0] !== 'look') return { status: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  const { exitCode, stdout, stderr } = await tryPlain(ssh, payload?.toString('utf8') ?? '', signal)
  return { status: exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) }
}

/** The lines of a reply by their first word. */
export function linesOf(reply: Reply): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>()
  for (const line of reply.stdout.toString('utf8').split('\n')) {
    const space = line.indexOf(' ')
    const word = space < 0 ? line : line.slice(0, space)
    if (word === '') continue
    lines.set(word, [...(lines.get(word) ?? []), space < 0 ? '' : line.slice(space + 1)])
  }
  return lines
}

let loaded: { readonly name: string; readonly text: Buffer } | undefined

/** The helper, whole, under the name of its content: hosts may carry several versions at once. */
export function helper(): { readonly name: string; readonly text: Buffer } {
  if (loaded) return loaded
  const text = Buffer.concat(helperParts.map((part) => readFileSync(new URL(`../../host/${part}.sh`, import.meta.url))))
  loaded = { name: `helper-${createHash('sha256').update(text).digest('hex')}.sh`, text }
  return loaded
}

/** What a script needs that stands alone on the host: the helper, and the driver of a way back. */
export function standalone(): {
  readonly helper: { readonly name: string; readonly text: string }
  readonly driver: string
} {
  const { name, text } = helper()
  const driver = readFileSync(new URL('../../host/restore.sh', import.meta.url), 'utf8')
  return { helper: { name, text: text.toString('utf8') }, driver }
}

/** False where it may not begin anything, and nothing was begun before; and for a look that finds no room for it. */
async function install(options: HelperOptions, ssh: SshConnection, words: Call['words']): Promise<boolean> {
  const nonce = randomBytes(8).toString('hex')
  const { name, text } = helper()
  const { stateDirectory } = options
  const command = installCall({ stateDirectory, helper: name, length: text.length, nonce, begin: begins(words) })
  const result = await ssh.exec({ command, stdin: text })
  if (result.stdout.includes(`@@${nonce} installed\n`)) return true
  if (result.stdout.includes(`@@${nonce} absent\n`)) return false
  if (words[0] === 'look' && unwritten.includes(result.exitCode)) return false
  // Where nothing was ever begun, nothing can be half done: no reason to try for as long as it takes.
  const unmade = result.stdout.includes(`@@${nonce} unmade\n`)
  throw new StepbackError({
    type: unmade ? 'Refused' : 'Unreachable',
    message: `the helper cannot be put into '${options.stateDirectory}': ${lastLines(result.stderr) || `exit ${result.exitCode}`}`,
    hint: 'may the SSH user write there, and is there room? (df, df -i)',
  })
}

/** Exit statuses of an installation that found its place full, or not its own. */
const unwritten: readonly (number | null)[] = [3, 4]

function refusedBy(input: {
  code: string
  message: string
  options: HelperOptions
  words: readonly (string | number)[]
}) {
  const { code, message, options, words } = input
  const what = `'${words[0]}' in '${options.stateDirectory}'`
  switch (code) {
    case 'stuck':
      return new StepbackError({
        type: 'Busy',
        message: `${what}: an older job cannot be ended: ${message}`,
        hint: 'end these processes by hand on the host; nothing was changed meanwhile',
      })
    case 'other-command':
      return new StepbackError({
        type: 'StepFailed',
        message: `${what}: the job '${message}' was started with another script`,
        hint: 'a worker of another version started it; retry the step under a new key',
      })
    case 'broken':
      return new StepbackError({
        type: 'Refused',
        message: `${what}: the entry '${message}' is damaged`,
        hint: 'compare it with the records of Temporal before anything else is written',
      })
    default:
      return new StepbackError({
        type: 'Unreachable',
        message: `${what}: ${code}: ${message}`,
        hint: 'is the disk full, read-only, or without hard links? (df, df -i, mount)',
      })
  }
}

function noAnswer(input: {
  options: HelperOptions
  words: readonly (string | number)[]
  said: Buffer
  exitCode: number | null
}): StepbackError {
  const said = lastLines(input.said)
  return new StepbackError({
    type: 'Unreachable',
    message: `no answer to '${input.words[0]}' in '${input.options.stateDirectory}' (exit ${input.exitCode ?? 'unknown'})${said ? `: ${said}` : ''}`,
    hint: `does '${input.options.shell}' start on the host?`,
  })
}

function lastLines(text: Buffer): string {
  return text.toString('utf8').trim().split('\n').slice(-3).join(' / ')
}
