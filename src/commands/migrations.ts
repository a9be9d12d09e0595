// Compiled migrations on the host, each under the name of its content.

import { fileFacts } from './file-facts.js'
import { quote } from './shell.js'

/** Writes them whole or not at all; what is there under that name with another content is replaced. */
export function keepCode(input: {
  readonly stateDirectory: string
  readonly sha256: string
  readonly text: string
}): string {
  return [
    'set -eu',
    'umask 077',
    fileFacts,
    `kept=${quote(codeFile(input))}`,
    `wanted=${quote(input.sha256)}`,
    'if [ -f "$kept" ] && [ "$(sha256 "$kept")" = "$wanted" ]; then exit 0; fi',
    'mkdir -p "$(dirname "$kept")"',
    // A retry writes the same bytes under the same name, and a rename is all that a reader sees.
    `printf '%s' ${quote(input.text)} >"$kept.part"`,
    'if [ "$(sha256 "$kept.part")" != "$wanted" ]; then echo "stepback: the copy has another checksum" >&2; exit 1; fi',
    'mv -f "$kept.part" "$kept"',
    '',
  ].join('\n')
}

/** Prints them; nothing where they are not there, or are larger than they can be. */
export function readCode(input: {
  readonly stateDirectory: string
  readonly sha256: string
  readonly limitBytes: number
}): string {
  return [
    `kept=${quote(codeFile(input))}`,
    `if [ -f "$kept" ] && [ "$(wc -c <"$kept")" -le ${input.limitBytes} ]; then cat "$kept"; fi`,
    '',
  ].join('\n')
}

function codeFile(input: { readonly stateDirectory: string; readonly sha256: string }): string {
  if (!/^[0-9a-f]{64}$/.test(input.sha256)) throw new TypeError(`"${input.sha256}" is no checksum`)
  return `${input.stateDirectory}/migrations/${input.sha256}.json`
}
