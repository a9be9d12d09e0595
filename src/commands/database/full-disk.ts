// Why a job failed, where that is a full disk: programs say so in words that may hold more than anybody should repeat.

/**
 * At the end of a script that failed, says that the file system that `df` shows is full, where it is so. Behind the
 * clearing away, since what is said lies on a disk as well.
 */
export function sayFullDisk(df: string, clear = ':'): string[] {
  const full = `NR == 2 && $4 * 100 < $2 { print "stepback: the disk is full: " $4 " KiB are left" }`
  return [
    'ends() {',
    `  [ "$1" = 0 ] || full=$(${df} 2> /dev/null < /dev/null | awk '${full}') || :`,
    `  ${clear}`,
    '  [ -z "${full:-}" ] || printf "%s\\n" "$full" >&2',
    '}',
    `trap 'ends $?' EXIT`,
  ]
}
