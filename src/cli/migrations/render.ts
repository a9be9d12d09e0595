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
    it.reversible === null ? 'its code is not known' : it.reversible ? 'reversible' : 'irreversible',
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
