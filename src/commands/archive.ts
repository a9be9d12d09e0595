// A directory of the project as an archive, and an archive beside the directory.

import { asItIs } from './places.js'
import { command, quote, script } from './shell.js'

/** Copied first, since who writes there does not stop: what changes meanwhile is torn at worst, never an error. */
export function archiveDirectory(input: {
  readonly directory: string
  readonly path: string
  readonly backups: string
  readonly name: string
  readonly staging: string
}): string {
  const { path, staging } = input
  const archive = `${input.backups}/${input.name}`
  const part = `${archive}.part`
  const copy = `rm -rf ${quote(staging)} && mkdir -p ${quote(staging)} && ${command('cp', '-RPp', `./${path}`, `${staging}/`)}`
  return script(
    `[ ! -e ${quote(archive)} ] || exit 0`,
    `cd ${quote(input.directory)}`,
    `if [ ! -d ${quote(`./${path}`)} ] || [ -L ${quote(`./${path}`)} ]; then ${say(`"${path}" is no directory`)}; exit 1; fi`,
    'umask 077',
    // A file that goes away between the list and its copy is looked for no more the next time.
    `n=1; until ${copy}; do [ $n -lt 3 ] || { ${say(`"${path}" could not be read whole`)}; exit 1; }; n=$((n + 1)); sleep 1; done`,
    asItIs,
    `tar $asis ${command('-czf', part, '-C', staging, `./${path.split('/').at(-1)}`)}`,
    `${command('tar', '-tzf', part)} >/dev/null`,
    command('mv', '-f', part, archive),
    command('rm', '-rf', staging),
  )
}

/** Whole or not at all; what is there already stays as it is. */
export function restoreArchive(input: {
  readonly directory: string
  readonly backups: string
  readonly name: string
  readonly to: string
}): string {
  const { name, to } = input
  const archive = `${input.backups}/${name}`
  const part = `./${to}.part`
  return script(
    `cd ${quote(input.directory)}`,
    `[ ! -e ${quote(`./${to}`)} ] || exit 0`,
    `list=$(${command('tar', '-tzf', archive)}) || { ${say(`"${name}" cannot be read`)}; exit 1; }`,
    `if printf '%s\\n' "$list" | grep -Eq '^/|(^|/)\\.\\.(/|$)'; then ${say(`"${name}" holds paths that lead out of it`)}; exit 1; fi`,
    'umask 077',
    `rm -rf ${quote(part)}; mkdir ${quote(part)}`,
    `trap ${quote(command('rm', '-rf', part))} EXIT`,
    `trap 'exit 143' TERM`,
    asItIs,
    `tar $asis ${command('-xpzf', archive, '-C', part)}`,
    command('mv', part, `./${to}`),
  )
}

export function removeArchives(backups: string, names: readonly string[]): string {
  return script(...names.map((name) => command('rm', '-f', `${backups}/${name}`)))
}

function say(text: string): string {
  return `echo ${quote(`stepback: ${text}`)} >&2`
}
