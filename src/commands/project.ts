// Looks at a host that knows nothing of stepback yet, and that keeps nothing of it afterwards.

import { quote } from './shell.js'

/**
 * The exec string and the stdin of a script. The login shell only starts sh, so it may be any; docker may be where a
 * login without a terminal does not look.
 */
export function plainLook(input: { readonly script: string; readonly nonce: string }): {
  readonly command: string
  readonly stdin: string
} {
  const stdin = [
    'LC_ALL=C PATH=$PATH:/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    'export LC_ALL PATH',
    // Read as a whole before any of it runs, so that no command takes the rest of the script for its input.
    'look() {',
    ':',
    input.script,
    '}',
    `printf '\\n@@${input.nonce}\\n'`,
    `printf '\\n@@${input.nonce}\\n' >&2`,
    'look </dev/null',
    '',
  ].join('\n')
  return { command: 'exec /bin/sh -s', stdin }
}

/** What the script printed, behind the noise of start-up files; undefined where it never ran. */
export function plainAnswer(input: { readonly printed: string; readonly nonce: string }): string | undefined {
  const mark = `\n@@${input.nonce}\n`
  const at = input.printed.indexOf(mark)
  return at < 0 ? undefined : input.printed.slice(at + mark.length)
}

/** A line for each path: `file`, `directory`, `other` or `absent`, links followed. */
export function pathKinds(paths: readonly string[]): string {
  const one = (path: string) => {
    const p = quote(path)
    return `if [ -f ${p} ]; then echo file; elif [ -d ${p} ]; then echo directory; elif [ -e ${p} ]; then echo other; else echo absent; fi`
  }
  return [...paths.map(one), ''].join('\n')
}

/** Two lines: the home directory, and `writable` where the SSH user may write to that directory. */
export function homeAndDirectory(directory: string): string {
  return `printf '%s\\n' "$HOME"\nif [ -w ${quote(directory)} ]; then echo writable; fi\n`
}
