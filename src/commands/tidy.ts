import { command, quote, script } from './shell.js'

/**
 * The last that a run does on the host: what it staged goes, and people who read files get a line. The same text for
 * every attempt, so the host's clock tells the time.
 */
export function tidyUp(input: {
  readonly staging: string
  readonly log?: { readonly file: string; readonly line: string } | undefined
}): string {
  const { staging, log } = input
  // A line is an entry: the name of a run, which anyone may choose, cannot make two of it.
  const line = log?.line.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
  const note = log && `printf '%s %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${quote(line!)} >>${quote(log.file)}`
  return script(command('rm', '-rf', staging), ...(note ? [note] : []))
}
