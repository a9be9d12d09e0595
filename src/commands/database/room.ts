// A disk that is full stops the server of the live database for good: its next checkpoint, which a DROP DATABASE makes
// at once, cannot be written, nor can it recover. So what fills a disk is ended before it is full.

import { command } from '../shell.js'
import type { JobScript } from './ending.js'

export interface Room {
  /** Shows the file system that is filled, as `df -Pk` does, to the shell that `within` enters. */
  readonly df: string
  /** The words in front of a command that enter the server's container; none for the host itself. */
  readonly within: readonly string[]
  /** What stays free on it, at least. */
  readonly reserveBytes: number
  /** Ends what fills it. */
  readonly ending: JobScript['ending']
  /** Clears away what was left, however the script ends. */
  readonly clear?: string
}

/**
 * Put at the beginning of a script: it does not begin where less is free, is ended as soon as less is free, and says so,
 * behind the clearing away, since what is said lies on a disk as well. Where nobody can tell, it goes on.
 */
export function keepRoom({ df, within, reserveBytes, ending, clear = ':' }: Room): string[] {
  const reserve = Math.ceil(reserveBytes / 1024)
  // Without a reserve a disk is full when hardly anything is left, by its own size: of a large one a hundredth is much.
  const full = `$4 < ${reserve} || ($4 < 65536 && $4 * 100 < $2)`
  const told = 'print "stepback: the disk is full: " $4 " KiB are left"'
  return [
    'scarce() {',
    // The line of the titles has no number there.
    `  awk '$4 ~ /^[0-9]+$/ && (${full}) { ${told} }'`,
    '}',
    'little() {',
    `  ${command(...within, 'sh', '-c', df)} 2> /dev/null < /dev/null | scarce`,
    '}',
    'ends() {',
    '  [ -z "${watcher:-}" ] || kill "$watcher" 2> /dev/null || :',
    '  [ "$1" = 0 ] || full=$(little) || :',
    `  ${clear}`,
    '  [ -z "${full:-}" ] || printf "%s\n" "$full" >&2',
    '}',
    `trap 'ends $?' EXIT`,
    '[ -z "$(little)" ] || exit 1',
    ...watching({ df, within, ending }),
    // In a subshell, since one that runs a function keeps what it redirects, and with it whoever reads this script's output.
    '(watch) > /dev/null 2>&1 < /dev/null &',
    'watcher=$!',
  ]
}

/**
 * Entering a container costs more than looking, so one shell there looks whenever it is asked, and ends with whoever
 * asks: of a script that was killed nothing stays behind, on either side. One that ended with the server's container is
 * entered anew.
 */
function watching({ df, within, ending }: Pick<Room, 'df' | 'within' | 'ending'>): string[] {
  return [
    'watch() {',
    `  me=$(exec sh -c 'echo "$PPID"')`,
    '  while kill -0 "$$"; do',
    '    while sleep 2 && kill -0 "$$" && kill -0 "$me" && echo; do :; done |',
    `      ${command(...within, 'sh', '-c', `while read -r asked; do ${df}; done`)} |`,
    '      while read -r seen; do',
    `        [ -z "$(printf '%s\n' "$seen" | scarce)" ] || (`,
    ending.trimEnd(),
    '        ) || :',
    '      done || :',
    '    sleep 2',
    '  done',
    '}',
  ]
}
