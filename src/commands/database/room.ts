// A disk that is full stops the server of the live database for good: its next checkpoint, which a DROP DATABASE makes
// at once, cannot be written, nor can it recover. So what fills a disk is ended before it is full.

import type { JobScript } from './ending.js'

export interface Room {
  /** A command that shows the file system that is filled, as `df -Pk` does. */
  readonly df: string
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
export function keepRoom({ df, reserveBytes, ending, clear = ':' }: Room): string[] {
  const reserve = Math.ceil(reserveBytes / 1024)
  // Without a reserve a disk is full when hardly anything is left, by its own size: of a large one a hundredth is much.
  const full = `$4 < ${reserve} || ($4 < 65536 && $4 * 100 < $2)`
  const little = `NR == 2 && (${full}) { print "stepback: the disk is full: " $4 " KiB are left" }`
  return [
    'little() {',
    `  ${df} 2> /dev/null < /dev/null | awk '${little}'`,
    '}',
    'ends() {',
    '  [ -z "${watcher:-}" ] || kill "$watcher" 2> /dev/null || :',
    '  [ "$1" = 0 ] || full=$(little) || :',
    `  ${clear}`,
    '  [ -z "${full:-}" ] || printf "%s\\n" "$full" >&2',
    '}',
    `trap 'ends $?' EXIT`,
    '[ -z "$(little)" ] || exit 1',
    'watch() {',
    // Of a script that was killed nothing stays behind.
    '  while sleep 2 && kill -0 "$$"; do',
    '    [ -z "$(little)" ] || (',
    ending.trimEnd(),
    '    ) || :',
    '  done',
    '}',
    'watch > /dev/null 2>&1 < /dev/null &',
    'watcher=$!',
  ]
}
