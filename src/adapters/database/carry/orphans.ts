// Rows whose parent is not there, told for a portion at once: halved down to each of them, thousands would take minutes.

import pg from 'pg'
import type { Session } from '../session.js'
import type { Candidate } from './candidates.js'
import { type ForeignKey, type Relation, quoted } from './relations.js'

/** None where this cannot be asked: a parent within the same portion, or columns that one side has otherwise. */
export async function orphansAmong(
  session: Session,
  { table, home, key }: { readonly table: Relation; readonly home: Relation; readonly key: ForeignKey },
  rows: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const at = key.columns.map((name, index) =>
    table.columns.findIndex((it) => it.name === name && it.type === key.types[index]),
  )
  if (key.parent === home.oid || at.includes(-1)) return []
  const width = at.length
  const lists = rows.map((_, row) => {
    const values = key.types.map((type, column) => `$${row * width + column + 1}::${type}`)
    return `(${[row, ...values].join(', ')})`
  })
  const names = key.columns.map((_, index) => `v${index}`)
  const meets = key.referred.columns.map((name, index) => `p.${pg.escapeIdentifier(name)} = ${names[index]}`)
  const found = await session.query<{ n: number }>(
    `select n from (values ${lists.join(', ')}) v(n, ${names.join(', ')})
     where ${names.map((name) => `${name} is not null`).join(' and ')}
     and not exists (select from ${quoted(key.referred)} p where ${meets.join(' and ')})`,
    rows.flatMap((row) => at.map((index) => row.values[index]!)),
  )
  return found.map(({ n }) => rows[n]!)
}
