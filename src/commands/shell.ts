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
