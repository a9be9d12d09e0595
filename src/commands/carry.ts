// The list of rows that were not carried, beside the restore point that the run took: they are in its database.

import { fileFacts } from './file-facts.js'
import { quote, script } from './shell.js'

/** One JSON a line: the table, why, and the row. */
export function leftFile(input: { readonly backups: string; readonly id: string }): string {
  return `${input.backups}/left_${input.id}.jsonl`
}

/** Moves the list into place, and compares it with what was written; without one there is none there. */
export function placeLeft(input: {
  readonly backups: string
  readonly id: string
  readonly left: { readonly staged: string; readonly sha256: string } | null
}): string {
  const file = leftFile(input)
  if (!input.left) return script(`rm -f ${quote(file)}`)
  const { staged, sha256 } = input.left
  return script(
    fileFacts,
    `staged=${quote(staged)}`,
    `file=${quote(file)}`,
    'if [ -f "$staged" ]; then chmod 600 "$staged"; mv -f "$staged" "$file"; fi',
    `if [ "$(sha256 "$file")" != ${quote(sha256)} ]; then`,
    '  echo "stepback: the list of rows that were not carried is not the one that was written" >&2',
    '  exit 1',
    'fi',
    'sync "$file" 2> /dev/null || sync',
  )
}
