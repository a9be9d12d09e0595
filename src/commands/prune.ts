import { type PrunedPoint } from '../plan/act.js'
import { namesOf } from '../plan/retention.js'
import { keptTag } from './images.js'
import { command, script } from './shell.js'

/**
 * Removes restore points, each manifest first: killed anywhere it leaves whole ones and leftovers, never half of one.
 * A tag that is gone, or the last one of an image that a container still uses, is no reason to stop.
 */
export function pruneRestorePoints(input: {
  readonly target: string
  readonly backups: string
  readonly points: readonly PrunedPoint[]
}): string {
  const { target, backups, points } = input
  return script(
    ...points.flatMap(({ id, services }) => [
      ...namesOf(id).map((name) => command('rm', '-rf', `${backups}/${name}`)),
      ...services.map((service) => untag(keptTag({ target, restorePoint: id, service }))),
    ]),
  )
}

function untag(tag: string): string {
  return `${command('docker', 'image', 'rm', '--no-prune', tag)} >/dev/null 2>&1 || true`
}

/** Names of what lies in the backups directory, one a line; a name with a line break is none of ours. */
export function listShelf(backups: string): string {
  return `${command('ls', '-1', backups)} 2>/dev/null || true\n`
}
