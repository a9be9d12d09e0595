// A copy of a copy, to try migrations on: neither the live database nor the one that it is made from ever notices.

import type { DatabaseProperties } from '../../plan/manifest.js'
import type { ColumnValues } from '../../plan/rehearsal.js'
import { script } from '../shell.js'
import { endingOf, type JobScript } from './ending.js'
import { comparableFactsSql } from './facts.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'
import { propertiesSql } from './properties.js'
import { identifier, pinnedSettings } from './sql.js'

/** Makes `to` anew as a copy of `from`, which nobody may be in; only its owner and superusers may enter the copy. */
export function copyDatabase(
  input: DatabaseAccess & {
    readonly from: string
    readonly to: string
    readonly owner: string
    readonly applicationName: string
  },
): JobScript {
  return copying(input, [])
}

/** The same, whole: with the properties that no copy brings along, and closed to everybody. */
export function copyWhole(
  input: DatabaseAccess & {
    readonly from: string
    readonly to: string
    readonly properties: DatabaseProperties
    readonly applicationName: string
  },
): JobScript {
  const { to, properties } = input
  const close = `alter database ${identifier(to)} allow_connections false;`
  return copying({ ...input, owner: properties.owner }, [
    'begin;',
    propertiesSql({ name: to, properties }),
    close,
    'commit;',
  ])
}

function copying(
  input: DatabaseAccess & {
    readonly from: string
    readonly to: string
    readonly owner: string
    readonly applicationName: string
  },
  more: readonly string[],
): JobScript {
  const to = identifier(input.to)
  const sql = [
    'set client_min_messages to warning;',
    `drop database if exists ${to} with (force);`,
    `create database ${to} template ${identifier(input.from)} owner ${identifier(input.owner)};`,
    `revoke all on database ${to} from public;`,
    ...more,
  ]
  return {
    script: script(withSql(psql(input, 'postgres'), sql.join('\n'))),
    ending: endingOf(input, input.applicationName),
  }
}

/** Prints what a rehearsal compares, a line each; read again by `parseSight`. */
export function seeDatabase(access: DatabaseAccess, database: string): string {
  return script(withSql(psql(access, database), `${pinnedSettings}\n${comparableFactsSql}\n${columnsSql}`))
}

export function parseSight(text: string): {
  readonly lines: readonly string[]
  readonly columns: readonly ColumnValues[]
} {
  const lines = text.split('\n').filter((line) => line !== '')
  const isColumns = (line: string) => line.startsWith('columns ')
  return {
    lines: lines.filter((line) => !isColumns(line)),
    columns: lines.filter(isColumns).map((line) => readColumns(line.slice('columns '.length))),
  }
}

// An object of two arrays, since a function takes no more than a hundred arguments and a table may have more columns.
const columnsSql = `select format($q$select 'columns ' || jsonb_build_object('schema', %L, 'table', %L, 'rows', count(*),
  'names', to_jsonb(array[%s]::text[]), 'values', to_jsonb(array[%s]::bigint[]))::text from only %I.%I$q$,
  n.nspname, c.relname, string_agg(quote_literal(a.attname), ', ' order by a.attnum),
  string_agg(format('count(%I)', a.attname), ', ' order by a.attnum), n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
group by n.nspname, c.relname
\\gexec`

function readColumns(text: string): ColumnValues {
  const { names, values, ...table } = JSON.parse(text) as {
    schema: string
    table: string
    rows: number
    names: readonly string[]
    values: readonly number[]
  }
  return { ...table, values: Object.fromEntries(names.map((name, index) => [name, values[index]!])) }
}
