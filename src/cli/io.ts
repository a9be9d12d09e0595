// People's text goes to standard error, results to standard output; colour and redrawing only where a person looks.

import pico from 'picocolors'

export type Colours = ReturnType<typeof pico.createColors>

export interface Io {
  /** A line for people. */
  say(line: string): void
  /** A line of the result. */
  print(line: string): void
  readonly colours: Colours
  /** Whether what is said may be drawn over. */
  readonly live: boolean
  readonly env: NodeJS.ProcessEnv
}

export function terminalIo(): Io {
  const { stderr, stdout, env } = process
  const live = stderr.isTTY && env['TERM'] !== 'dumb'
  return {
    say: (line) => void stderr.write(`${line}\n`),
    print: (line) => void stdout.write(`${line}\n`),
    colours: pico.createColors(live && !env['NO_COLOR']),
    live,
    env,
  }
}
