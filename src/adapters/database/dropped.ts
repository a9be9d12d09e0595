// What one statement of SQL drops, whether it can be read at all, and how much is in what is dropped.

import pg from 'pg'
import type { ExposedTable } from '../../plan/plan.js'
import type { Session } from './session.js'

export interface Dropped {
  /** Tables as the statement names them. */
  readonly tables: readonly string[]
  readonly columns: readonly DroppedColumn[]
}

export interface DroppedColumn {
  /** As the statement names it. */
  readonly table: string
  readonly column: string
}

const none: Dropped = { tables: [], columns: [] }
const name = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`
const path = `${name}(?:\\.${name})*`

/** `statement` is one, with single spaces. */
export function dropsOf(statement: string): Dropped {
  const [, names] = /^drop table (?:if exists )?(.+?)(?: cascade| restrict)?$/i.exec(statement) ?? []
  if (names !== undefined) return { ...none, tables: names.split(',').map((it) => it.trim()) }
  const [, table, actions] = altered.exec(statement) ?? []
  if (table === undefined || actions === undefined) return none
  return {
    ...none,
    columns: [...actions.matchAll(dropped)].map(([, column]) => ({ table, column: unquoted(column!) })),
  }
}

/** Whatever is not plainly about the schema's own objects may change rows, and a cascade may take columns along. */
export function isUnclear(statement: string): boolean {
  if (!/^(drop|create|alter|comment|grant|revoke|set|select) /i.test(statement)) return true
  return /^drop (schema|owned)\b|^drop (type|domain|extension) .* cascade$/i.test(statement)
}

const altered = new RegExp(`^alter table (?:if exists )?(?:only )?(${path}) (.*)$`, 'i')
// `drop constraint c` drops no column, though PostgreSQL lets the word COLUMN be left out.
const dropped = new RegExp(
  `(?:^|, ?)drop (?:column )?(?:if exists )?(?!(?:column|if|constraint|expression|identity|not|default)\\b)(${name})(?: cascade| restrict)?(?=,|$)`,
  'gi',
)

function unquoted(column: string): string {
  return column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column.toLowerCase()
}

export interface CountedHow {
  /** Transactions whose rows are not counted: those of migrations, which would write them again. */
  readonly except?: readonly string[]
  /** Nobody writes to what is counted before the transaction ends. */
  readonly locking?: boolean
}

/** Rows of the tables and values of the columns that are there; what is not there has none. */
export async function countDropped(
  session: Pick<Session, 'query'>,
  { tables, columns }: Dropped,
  how: CountedHow = {},
): Promise<readonly ExposedTable[]> {
  const found = [...tables.map((table) => ({ table })), ...columns]
  const lost: ExposedTable[] = []
  for (const it of found) lost.push(...(await countOne(session, it, how)))
  const gone = lost.filter((it) => it.column === undefined).map((it) => it.table)
  return lost.filter((it) => it.deleted > 0 && (it.column === undefined || !gone.includes(it.table)))
}

interface Found {
  readonly table: string | null
  readonly column: string | null
  readonly preset: string | null
}

async function countOne(
  session: Pick<Session, 'query'>,
  input: { readonly table: string; readonly column?: string },
  { except = [], locking = false }: CountedHow,
): Promise<ExposedTable[]> {
  const [found] = await session.query<Found>(
    `select c.oid::regclass::text as table, a.attname as column, pg_get_expr(d.adbin, d.adrelid) as preset
     from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attname = $2 and not a.attisdropped
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum where c.oid = to_regclass($1)`,
    [input.table, input.column ?? null],
  )
  if (!found?.table || (input.column !== undefined && found.column === null)) return []
  if (locking) await session.query(`lock table ${found.table} in share row exclusive mode`)
  const value = found.column === null ? 'true' : ownValue(found.column, found.preset)
  const [row] = await session.query<{ lost: string }>(
    `select count(*) as lost from ${found.table} x where ${value} and not (x.xmin::text = any($1::text[]))`,
    [except],
  )
  const { table, column } = found
  const lost = { inserted: 0, updated: 0, deleted: Number(row!.lost), newest: null, method: 'exact' }
  return [{ table, ...(column === null ? {} : { column }), ...lost }]
}

// What a constant default put there comes back with the column.
const constant = /^(?:'(?:[^']|'')*'|\(?-?[\d.]+\)?|true|false|NULL)(?:::[\w ."]+(?:\([\d,]+\))?(?:\[\])*)*$/

function ownValue(column: string, preset: string | null): string {
  const value = `x.${pg.escapeIdentifier(column)}`
  const known = preset !== null && constant.test(preset)
  return `${value} is not null${known ? ` and ${value}::text is distinct from (${preset})::text` : ''}`
}
