import type { Revisions } from '../../activities/observe/revisions.js'
import type { Colours } from '../io.js'
import { columns } from '../view/columns.js'
import { visible } from '../view/visible.js'

/** One line for each migration, oldest first, and how to take over what has no records. */
export function renderRevisions(
  target: string,
  shown: Pick<Revisions, 'revisions' | 'unrecorded' | 'alembic'>,
  colours: Colours,
): string[] {
  const rows = shown.revisions.map((it) => [
    visible(it.revision),
    it.applied ? `applied ${it.appliedAt ?? 'before the ledger began'}` : 'not applied',
    ...reverting(it).map(visible),
  ])
  return [
    ...(rows.length > 0 ? columns(rows) : ['no migrations']),
    ...(shown.alembic === null ? [] : [`alembic_version: ${visible(shown.alembic)}`]),
    ...(shown.unrecorded
      ? [
          colours.red('the database has tables and no record of a migration'),
          `hint: stepback migrations ${target} --baseline <revision>`,
        ]
      : []),
  ]
}

/** Whether it can be reverted, and what that loses or why it cannot be. */
function reverting({ applied, reversible, irreversible, loses }: Revisions['revisions'][number]): [string, string] {
  if (reversible === null) return ['its code is not known', '']
  if (!reversible) return ['irreversible', irreversible ?? '']
  if (!applied && loses?.length === 0) return ['reversible', '']
  if (loses === null) return ['reversible', 'nobody can tell beforehand what its down loses']
  return ['reversible', loses.length > 0 ? loses.join('; ') : 'loses nothing']
}
