// What copies files must not leave a half of one on a full disk: it would leave no room for saying how the job ended.

/**
 * Put at the beginning of a script: however it ends, it clears away, and where it failed on a full file system, by what
 * `df` shows, it says so; what a program said may hold more than anybody should repeat.
 */
export function clearsAway(df: string, clear: string): string[] {
  const full = `NR == 2 && $4 * 100 < $2 { print "stepback: the disk is full: " $4 " KiB are left" }`
  return [
    'ends() {',
    `  [ "$1" = 0 ] || full=$(${df} 2> /dev/null | awk '${full}') || :`,
    `  ${clear}`,
    '  [ -z "${full:-}" ] || printf "%s\\n" "$full" >&2',
    '}',
    `trap 'ends $?' EXIT`,
  ]
}
