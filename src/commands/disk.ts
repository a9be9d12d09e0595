// What frees room on a disk, and what keeps some back for the day when there is none.

import { command, quote, script } from './shell.js'
import { places } from './places.js'

/** A file whose only use is to be removed; written whole or not at all, and only where there is room enough for more. */
export function keepReserve(stateDirectory: string, bytes: number): string {
  const reserve = `${stateDirectory}/reserve`
  const [file, part] = [quote(reserve), quote(`${reserve}.part`)]
  const room = `df -Pk ${quote(stateDirectory)} | awk 'NR == 2 { exit !($4 * 1024 > ${bytes * 3}) }'`
  // Not of zeros: a file system that compresses would hold nothing back with them.
  const write = `umask 077; head -c ${bytes} /dev/urandom >${part} && mv -f ${part} ${file}`
  return bytes === 0 ? '' : `[ -e ${file} ] || { ${room} && { ${write}; }; } 2>/dev/null || rm -f ${part}\n`
}

export function freeReserve(stateDirectory: string): string {
  return `rm -f ${quote(`${stateDirectory}/reserve`)} ${quote(`${stateDirectory}/reserve.part`)}\n`
}

/** `there` or `missing`; nothing where no run was yet that could have made it. */
export function findReserve(stateDirectory: string): string {
  const kept = `[ -f ${quote(`${stateDirectory}/reserve`)} ]`
  return `set -- ${quote(`${stateDirectory}/ledger/`)}[0-9]*.json\nif ${kept}; then echo there; elif [ -e "$1" ]; then echo missing; fi\n`
}

/** For each place a line of its free bytes and all of them; empty where nobody can tell. */
export function measureDisks(paths: readonly string[]): string {
  const figures = `awk 'NR == 2 { printf "%.0f %.0f", $4 * 1024, ($3 + $4) * 1024 }'`
  return paths.map((path) => `df -Pk ${quote(path)} 2>/dev/null | ${figures}; echo\n`).join('')
}

/** What a place has before, all that a script prints, and what the place has then. */
export function measuring(path: string, script: string): string {
  const measure = measureDisks([path])
  return `${measure}(\n${script})\nstatus=$?\n${measure}exit $status\n`
}

/** Does each for itself, since one that will not go is no reason to keep the others; prints how many went, and stayed. */
export function removeEach(commands: readonly string[]): string {
  return script(
    'gone=0 left=0',
    'one() { if "$@" >/dev/null 2>&1; then gone=$((gone + 1)); else left=$((left + 1)); fi; }',
    ...commands.map((it) => `one ${it}`),
    'echo "$gone $left"',
  )
}

/** Never by force: a container that runs again by now, and an image or a volume that is in use, stays. */
export const removals = {
  container: (id: string) => command('docker', 'rm', id),
  image: (id: string) => command('docker', 'image', 'rm', id),
  volume: (name: string) => command('docker', 'volume', 'rm', name),
  file: (path: string) => command('rm', path),
}

export const buildCache = removeEach([command('docker', 'builder', 'prune', '--all', '--force')])

/** Below a directory of the project that is reached without a link; prints how many went. */
export function removeLogs(input: {
  readonly directory: string
  readonly path: string
  readonly olderThanDays: number
}): string {
  const old = `find . -type f -name '*.log' -mtime +${input.olderThanDays}`
  return [
    'set -eu',
    `cd ${quote(input.directory)}`,
    places,
    `enter ${quote(`${input.path}/x`)} look || { echo "0 0"; exit 0; }`,
    `count() { printf '%s' "$(${old} -exec printf '%.0sx' {} +)" | wc -c; }`,
    'before=$(count)',
    `${old} -exec rm -f {} + 2>/dev/null || :`,
    'left=$(count)',
    'echo "$((before - left)) $((left))"',
    '',
  ].join('\n')
}
