import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string
  readonly timeoutMs?: number
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. Fails when it cannot be started, does not exit with 0, or takes too long. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await attempt(argv, options)
  if (result.code === 0) return result
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-8).join('\n')
  throw new Error(`"${argv.join(' ')}" ended with exit status ${result.code}\n${said}`)
}

/** The same, but any outcome is an answer; a program that is not there has exit status 127. */
export function attempt(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { env = process.env, cwd, input, timeoutMs = 600_000 } = options
  return new Promise((resolve) => {
    const child = spawn(argv[0]!, argv.slice(1), { env, cwd, stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }))
    child.on('close', (code) => {
      resolve({ code: code ?? 128, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() })
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** Asks until the answer is yes; fails with `what` and its last words when the time is over. */
export async function waitFor(
  what: string,
  ask: () => boolean | Promise<boolean>,
  options: { readonly timeoutMs: number; readonly everyMs?: number },
): Promise<void> {
  const end = Date.now() + options.timeoutMs
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`${what}: not there after ${options.timeoutMs / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 100))
  }
}
