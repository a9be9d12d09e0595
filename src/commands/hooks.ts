// Hooks: programs of the operator's, as a job on the host runs them.

import { command, quote } from './shell.js'

/** Runs the program in the project directory; one that takes too long ends, and what it left ends with the job. */
export function runHook(input: {
  readonly directory: string
  readonly target: string
  readonly version: string
  readonly argv: readonly string[]
  readonly timeout: string
  readonly timeoutSeconds: number
}): string {
  const late = quote(`stepback: it ran longer than ${input.timeout}`)
  return [
    `cd ${quote(input.directory)} || exit 1`,
    `STEPBACK_TARGET=${quote(input.target)} STEPBACK_VERSION=${quote(input.version)}`,
    'export STEPBACK_TARGET STEPBACK_VERSION',
    // By exec, so that its first word is a program and never a builtin or an assignment.
    `(${command('exec', ...input.argv)}) &`,
    'hook=$!',
    `(sleep ${input.timeoutSeconds} && echo ${late} >&2 && kill "$hook" && sleep 5 && kill -KILL "$hook") &`,
    'wait "$hook"',
    '',
  ].join('\n')
}

/** One line for each program that is not there. */
export function missingPrograms(directory: string, programs: readonly string[]): string {
  // No echo: that of dash reads a backslash as the beginning of something else.
  const one = (program: string) => `command -v ${quote(program)} >/dev/null 2>&1 || printf '%s\\n' ${quote(program)}`
  return [`cd ${quote(directory)} || exit 1`, ...programs.map(one), ''].join('\n')
}
