// The only place that quotes for a shell. Everything a step says to the host is POSIX sh text made of these words.

/** One word for POSIX sh, whatever it contains: spaces, quotes, newlines and non-ASCII arrive as they are. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a word for a shell cannot contain NUL')
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** One command line from an argument list, each argument quoted. */
export function command(...argv: readonly string[]): string {
  return argv.map(quote).join(' ')
}

/** A script that stops at its first failing line; lines are commands, already quoted. */
export function script(...lines: readonly string[]): string {
  return ['set -eu', ...lines, ''].join('\n')
}

/**
 * Lines for a script that run the commands four at a time, and stop it where one fails: for programs of which starting
 * is the most.
 */
export function sideBySide(commands: readonly string[]): string[] {
  const together = commands.slice(0, 4)
  if (together.length === 0) return []
  const begin = together.map((line, index) => `${line} & p${index}=$!`)
  const end = together.map((_, index) => `wait "$p${index}"`)
  return [...begin, ...end, ...sideBySide(commands.slice(4))]
}
