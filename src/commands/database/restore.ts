// Building a database beside the live one. The live one is named nowhere in here: whatever goes wrong costs it nothing.

import { quote, script } from '../shell.js'
import type { DatabaseFacts, DatabaseProperties, SequenceFacts } from '../../plan/manifest.js'
import { endingOf, type JobScript } from './ending.js'
import { comparableFactsSql, comparableLines } from './facts.js'
import { pgRestore, psql, withSql, type DatabaseAccess } from './programs.js'
import { createDatabaseSql, propertiesSql } from './properties.js'
import { keepRoom } from './room.js'
import { identifier, literal, pinnedSettings } from './sql.js'

/** The exit status of a restore that went through and gave something else than what was dumped. */
export const mismatchExit = 65

/** Some segments of the server's log, and a checkpoint. */
export const leastReserveBytes = 64 * 1024 * 1024

/** Dumps from before may be compressed; ours are `dump` or `sql`. */
export type RestoreFormat = 'dump' | 'sql' | 'sql.gz'

/**
 * Drops a half-made database of that exact name, creates it, restores, analyzes, compares, and puts the properties
 * back. What it leaves is complete and closed to connections; the last line it prints is `oid <oid>`. Exits with
 * `mismatchExit` and the differing lines (`<` expected, `>` found) where the copy is not equal to what was recorded.
 * Without `expected`, for dumps from before, the found lines are printed instead.
 */
export function restoreInto(
  input: DatabaseAccess & {
    /** Of the kind `__new_` or `__warm_`. */
    readonly newDatabase: string
    readonly dumpFile: string
    readonly format: RestoreFormat
    readonly properties: DatabaseProperties
    readonly expected?: Pick<
      DatabaseFacts,
      'tables' | 'migrations' | 'alembic' | 'schemaSha256' | 'sequences' | 'roles' | 'extensions'
    >
    readonly applicationName: string
    /** A database to work from that is neither the live one nor one of its copies. */
    readonly maintenance?: string
    /** What stays free where the server keeps its data. */
    readonly reserveBytes?: number
  },
): JobScript {
  const { newDatabase, properties, expected, maintenance = 'postgres' } = input
  const made = identifier(besideLive(newDatabase, ['new', 'warm']))
  const run = (database: string, sql: string) => withSql(psql(input, database), sql)
  return {
    script: script(
      'umask 077',
      `dump=${quote(input.dumpFile)}`,
      ...keepRoom({
        df: 'df -Pk "${PGDATA:-/var/lib/postgresql}"',
        within: input.exec,
        reserveBytes: input.reserveBytes ?? leastReserveBytes,
        ending: endingOf(input, input.applicationName, maintenance),
      }),
      ...checkLines(input.format),
      ...(expected ? missingLines(run(maintenance, missingSql(expected))) : []),
      run(
        maintenance,
        `${quiet}\ndrop database if exists ${made} with (force);\n${createDatabaseSql({ name: newDatabase, properties })}`,
      ),
      ...readLines(input),
      run(newDatabase, 'analyze;'),
      // Kept in variables: what is compared is some lines a table, and leaves no file behind.
      `found=$(${run(newDatabase, `${pinnedSettings}\n${comparableFactsSql}\n${sequencesSql(expected?.sequences ?? [])}`)}\n)`,
      ...(expected ? compareLines(expected) : [`printf '%s\\n' "$found"`]),
      run(
        maintenance,
        ['begin;', propertiesSql({ name: newDatabase, properties }), `alter database ${made} allow_connections false;`]
          .concat('commit;', `select 'oid ' || oid from pg_database where datname = ${literal(newDatabase)};`)
          .join('\n'),
      ),
    ),
    ending: endingOf(input, input.applicationName, maintenance),
  }
}

/** Drops databases that stepback made, and no others: names of any other shape are an error of the caller. */
export function dropDatabase(
  input: DatabaseAccess & {
    readonly databases: readonly string[]
    readonly applicationName: string
    readonly maintenance?: string
  },
): JobScript {
  const { maintenance = 'postgres' } = input
  const drops = input.databases.map(
    (name) => `drop database if exists ${identifier(besideLive(name, ['new', 'warm', 'before']))} with (force);`,
  )
  return {
    script: script(withSql(psql(input, maintenance), [quiet, ...drops].join('\n'))),
    ending: endingOf(input, input.applicationName, maintenance),
  }
}

// What is not there to be dropped is no news.
const quiet = 'set client_min_messages to warning;'

function besideLive(name: string, kinds: readonly string[]): string {
  const [, kind] = /__(new|warm|before)_[0-9a-f]{8}(?:_[0-9a-f]{6})?$/.exec(name) ?? []
  if (kind !== undefined && kinds.includes(kind)) return name
  throw new TypeError(`database "${name}" is not one of ${kinds.map((it) => `__${it}_`).join(', ')} and is left alone`)
}

// A plain dump that was cut reads well up to the cut, and one with \connect in it would write into another database.
function checkLines(format: RestoreFormat): string[] {
  if (format === 'dump') return ['[ -f "$dump" ]']
  const read = format === 'sql' ? 'cat "$dump"' : 'gzip -dc "$dump"'
  const allowed = '^\\\\(\\.$|N|\\\\|[bfnrtv]|restrict |unrestrict )'
  return [
    ...(format === 'sql' ? ['[ -f "$dump" ]'] : ['gzip -t "$dump"']),
    `if ! ${read} | tail -n 20 | grep -q '^-- PostgreSQL database dump complete'; then`,
    `  echo "the dump '$dump' is not whole: its last line is missing" >&2`,
    '  exit 1',
    'fi',
    `if ${read} | LC_ALL=C grep '^\\\\' | LC_ALL=C grep -Ev ${quote(allowed)} >&2; then`,
    `  echo "the dump '$dump' holds commands for psql that could reach another database" >&2`,
    '  exit 1',
    'fi',
  ]
}

// Without a role or an extension that it names a dump cannot be read, and says so only behind all that comes before.
function missingLines(ask: string): string[] {
  return [
    `missing=$(${ask}\n)`,
    'if [ -n "$missing" ]; then',
    `  printf '%s\\n' "$missing" | sed 's/^/stepback: the server has no /' >&2`,
    '  exit 1',
    'fi',
  ]
}

function missingSql({ roles, extensions }: Pick<DatabaseFacts, 'roles' | 'extensions'>): string {
  const names = (list: readonly string[]) => `unnest(array[${list.map(literal).join(', ')}]::text[]) it`
  return `select 'role ' || quote_ident(it) from ${names(roles)} where not exists (select from pg_roles where rolname = it)
union all select 'extension ' || quote_ident(it) from ${names(extensions.map(({ name }) => name))}
  where not exists (select from pg_available_extensions where name = it);`
}

function readLines(input: DatabaseAccess & { newDatabase: string; format: RestoreFormat }): string[] {
  if (input.format === 'dump') return [`${pgRestore(input, input.newDatabase)} < "$dump"`]
  const read = psql(input, input.newDatabase)
  return [input.format === 'sql' ? `${read} < "$dump" > /dev/null` : `gzip -dc "$dump" | ${read} > /dev/null`]
}

function compareLines(
  expected: Parameters<typeof comparableLines>[0] & { sequences: readonly SequenceFacts[] },
): string[] {
  const sequences = expected.sequences.map(
    (it) => `sequence ${JSON.stringify(it.schema)} ${JSON.stringify(it.name)} ok`,
  )
  const lines = [...comparableLines(expected), ...sequences]
  return [
    `expected=${quote(lines.join('\n'))}`,
    `sorted() { printf '%s\\n' "$1" | LC_ALL=C sort; }`,
    'if [ "$(sorted "$expected")" != "$(sorted "$found")" ]; then',
    '  echo "stepback: the restored database is not what was dumped, < expected, > found:" >&2',
    `  { sorted "$expected" | sed 's/^/< /'; sorted "$found" | sed 's/^/> /'; } | LC_ALL=C sort -k 2 |`,
    `    LC_ALL=C uniq -u -f 1 | sed 's/^/stepback: /' >&2`,
    `  exit ${mismatchExit}`,
    'fi',
  ]
}

// A sequence is in no snapshot: the dump reads it later than the facts did, so it may be ahead, never behind.
function sequencesSql(sequences: readonly SequenceFacts[]): string {
  return sequences
    .map(({ schema, name, value }) => {
      const label = `${JSON.stringify(schema)} ${JSON.stringify(name)}`
      const relation = `${identifier(schema)}.${identifier(name)}`
      const reached = `case when p.seqcycle then true when p.seqincrement > 0 then s.last_value >= ${literal(value)}::bigint
  else s.last_value <= ${literal(value)}::bigint end`
      return `select ${literal(`sequence ${label} `)} || case when ${reached} then 'ok' else 'behind at ' || s.last_value end
from ${relation} s, pg_sequence p where p.seqrelid = ${literal(relation)}::regclass;`
    })
    .join('\n')
}
