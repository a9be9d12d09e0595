// Tables on both sides, as far as rows that go from one to the other have to know them.

import pg from 'pg'
import type { Session } from '../session.js'

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly partitioned: boolean
  /** The partitioned table that it is a part of in the end, else itself. */
  readonly root: { readonly schema: string; readonly name: string }
  readonly columns: readonly Column[]
  /** Columns of each unique index by which a row is known for certain, the primary key first. */
  readonly keys: readonly (readonly string[])[]
  readonly foreignKeys: readonly ForeignKey[]
}

export interface ForeignKey {
  readonly name: string
  readonly parent: number
  readonly columns: readonly string[]
  /** Of these columns. */
  readonly types: readonly string[]
  readonly referred: { readonly schema: string; readonly name: string; readonly columns: readonly string[] }
}

export interface Column {
  readonly name: string
  /** With its modifier, and its schema where it has one of its own. */
  readonly type: string
  readonly generated: boolean
}

/** Every table with rows of its own, and what is partitioned; members of extensions are none. */
export async function readRelations(session: Session): Promise<readonly Relation[]> {
  // A type is named with its schema only where the path does not lead there.
  await session.query(`set search_path to ''`)
  const found = await session.query<{ relation: Relation }>(relationsSql)
  await session.query('reset search_path')
  return found.map((it) => it.relation)
}

/** A deferrable key is no arbiter of an insert, and one over an expression names no columns. */
const relationsSql = `select jsonb_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname,
    'partitioned', c.relkind = 'p',
    'root', (select jsonb_build_object('schema', rn.nspname, 'name', r.relname) from pg_class r
      join pg_namespace rn on rn.oid = r.relnamespace where r.oid = coalesce(pg_partition_root(c.oid), c.oid)),
    'columns', (select coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'generated', a.attgenerated <> '') order by a.attnum), '[]') from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'keys', (select coalesce(jsonb_agg(k.names order by i.indisprimary desc, i.indexrelid), '[]') from pg_index i,
      lateral (select jsonb_agg(a.attname order by u.nr) as names, bool_and(a.attnotnull) as known
        from unnest(i.indkey::int2[]) with ordinality u(attnum, nr)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum where u.nr <= i.indnkeyatts) k
      where i.indrelid = c.oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
        and i.indexprs is null and k.known),
    'foreignKeys', (select coalesce(jsonb_agg(jsonb_build_object('name', f.conname, 'parent', f.confrelid::bigint,
        'columns', own.names, 'types', own.types,
        'referred', jsonb_build_object('schema', pn.nspname, 'name', p.relname, 'columns', other.names))), '[]')
      from pg_constraint f join pg_class p on p.oid = f.confrelid join pg_namespace pn on pn.oid = p.relnamespace,
      lateral (select jsonb_agg(a.attname order by u.nr) as names,
        jsonb_agg(format_type(a.atttypid, a.atttypmod) order by u.nr) as types
        from unnest(f.conkey) with ordinality u(attnum, nr)
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = u.attnum) own,
      lateral (select jsonb_agg(a.attname order by u.nr) as names
        from unnest(f.confkey) with ordinality u(attnum, nr)
        join pg_attribute a on a.attrelid = f.confrelid and a.attnum = u.attnum) other
      where f.conrelid = c.oid and f.contype = 'f')) as relation
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  order by n.nspname, c.relname`

export function labelOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === 'public' ? name : `${schema}.${name}`
}

/** A relation's name as it may stand in a statement. */
export function quoted({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
}

/** A table's rows go into what has its root's name, which finds the partition itself, else into what has its own. */
export function homeOf(table: Relation, there: readonly Relation[]): Relation | undefined {
  const named = (it: { readonly schema: string; readonly name: string }) =>
    there.find(({ schema, name }) => schema === it.schema && name === it.name)
  return named(table.root) ?? named(table)
}

/** The columns by which a row is the same one on both sides. */
export function sharedKey(table: Relation, home: Relation): readonly string[] | undefined {
  const alike = (name: string) => {
    const [from, to] = [table, home].map((it) => it.columns.find((column) => column.name === name))
    // The elements of a list cannot be sent as a list of lists.
    return from !== undefined && from.type === to?.type && !from.generated && !from.type.endsWith(']')
  }
  return table.keys.find(
    (key) => key.every(alike) && home.keys.some((it) => it.length === key.length && it.every((at) => key.includes(at))),
  )
}

/** Parents before their children; what refers to each other comes in any order. */
export function parentsFirst<T extends { readonly home: Relation }>(pairs: readonly T[]): readonly T[] {
  const ordered: T[] = []
  const seen = new Set<number>()
  const visit = (oid: number): void => {
    if (seen.has(oid)) return
    seen.add(oid)
    const own = pairs.filter((it) => it.home.oid === oid)
    for (const { parent } of own.flatMap((it) => it.home.foreignKeys)) visit(parent)
    ordered.push(...own)
  }
  for (const { home } of pairs) visit(home.oid)
  return ordered
}
