// People's text goes to standard error, results to standard output; colour and redrawing only where a person looks.

import { createInterface } from 'node:readline'
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
  /**
   * Asks the person at the terminal; undefined where nobody sits at one. The end of input is an empty answer, and so is a
   * question that is withdrawn.
   */
  readonly ask?: ((question: string, withdrawn?: AbortSignal) => Promise<string>) | undefined
  readonly env: NodeJS.ProcessEnv
}

export function terminalIo(): Io {
  const { stderr, stdout, env } = process
  for (const stream of [stdout, stderr]) stream.on('error', unlessUnread)
  const live = stderr.isTTY && env['TERM'] !== 'dumb'
  return {
    say: (line) => void stderr.write(`${line}\n`),
    print: (line) => void stdout.write(`${line}\n`),
    colours: pico.createColors(live && !env['NO_COLOR']),
    live,
    ask: process.stdin.isTTY && stderr.isTTY ? askOnTerminal : undefined,
    env,
  }
}

/** A reader that went away, such as `head`, ends no command: its exit code still says how the run ended. */
function unlessUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

function askOnTerminal(question: string, withdrawn?: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const withdraw = () => {
    process.stderr.write('\n')
    terminal.close()
  }
  withdrawn?.addEventListener('abort', withdraw, { once: true })
  return new Promise((resolve) => {
    terminal.once('close', () => {
      withdrawn?.removeEventListener('abort', withdraw)
      resolve('')
    })
    // While a line is read the terminal sends no signal by itself.
    terminal.once('SIGINT', () => {
      withdraw()
      process.kill(process.pid, 'SIGINT')
    })
    terminal.question(question, (answer) => {
      resolve(answer)
      terminal.close()
    })
  })
}
