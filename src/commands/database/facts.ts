// What a session in a snapshot says about its database, one fact a line, and how those lines are read again.

import type { DatabaseFacts, SequenceFacts, TableFacts } from '../../plan/manifest.js'
import { StepbackError } from '../../plan/failure.js'
import { schemaFingerprintSql } from './fingerprint.js'

/** First in the snapshot: what a dump that is made at it reads without the snapshot, and what moves on at once. */
export const earlyFactsSql = [
  // Before 16 nobody can ask for savepoints, so any transaction under way counts as having some.
  `select case when current_setting('server_version_num')::int < 160000
  then $q$select 'savepoints ' || exists (select from pg_snapshot_xip(pg_current_snapshot()))$q$
  else $q$select 'savepoints ' || exists (select from pg_snapshot_xip(pg_current_snapshot()) x(id) where not exists (
    select from pg_stat_get_backend_idset() b(id), lateral pg_stat_get_backend_subxact(b.id) s, pg_stat_get_activity(null) a
    where a.pid = pg_stat_get_backend_pid(b.id) and a.backend_xid = x.id::xid
    and s.subxact_count = 0 and not s.subxact_overflowed))$q$ end
\\gexec`,
  `select format($q$select 'sequence ' || jsonb_build_object('schema', %L, 'name', %L, 'value', last_value::text,
  'called', is_called)::text from %I.%I$q$, n.nspname, c.relname, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and c.relpersistence <> 't'
and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
\\gexec`,
].join('\n')

/** What a restored database must have alike, each as one line that is compared as text. A sum of bigints is a numeric. */
export const comparableFactsSql = [
  `select format($q$select concat_ws(' ', 'table', count(*), coalesce(sum(hashtextextended((x.*)::text, 0)), 0),
  %L) from only %I.%I x$q$, to_json(n.nspname::text)::text || ' ' || to_json(c.relname::text)::text, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
union all select $q$select concat_ws(' ', 'table', count(*), coalesce(sum(hashtextextended((x.*)::text, 0)), 0),
  '"pg_catalog" "pg_largeobject"') from pg_largeobject x$q$ where has_table_privilege('pg_largeobject', 'select')
\\gexec`,
  `select format($q$select concat_ws(' ', 'migration', "timestamp", to_json(name::text)) from %s order by id$q$, c.oid::regclass)
from pg_class c where c.relname = 'migrations' and c.relkind = 'r' and array['id', 'name', 'timestamp'] = array(
  select a.attname::text collate "C" from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  order by 1)
\\gexec`,
  `select format($q$select 'alembic ' || version_num from %s$q$, c.oid::regclass)
from pg_class c where c.relname = 'alembic_version' and c.relkind = 'r'
\\gexec`,
  `select 'schema ' || (${schemaFingerprintSql});`,
].join('\n')

const aclSql = `(select coalesce(jsonb_agg(jsonb_build_object('grantee', case a.grantee when 0 then '' else pg_get_userbyid(a.grantee) end,
    'privilege', a.privilege_type, 'grantable', a.is_grantable)
    order by a.grantee, a.privilege_type), '[]')
    from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a)`

/** The properties of a database that no dump and no copy brings along. */
export const propertiesSql = `jsonb_build_object('owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding),
  'collate', d.datcollate, 'ctype', d.datctype, 'localeProvider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
  'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), 'icuRules', to_jsonb(d) ->> 'daticurules',
  'connectionLimit', d.datconnlimit, 'acl', ${aclSql},
  'settings', coalesce((select to_jsonb(s.setconfig) from pg_db_role_setting s where s.setdatabase = d.oid and s.setrole = 0), '[]'),
  'roleSettings', coalesce((select jsonb_agg(jsonb_build_object('role', pg_get_userbyid(s.setrole), 'settings', s.setconfig))
    from pg_db_role_setting s where s.setdatabase = d.oid and s.setrole <> 0), '[]'),
  'comment', shobj_description(d.oid, 'pg_database'))`

/** Cumulative writes, as one jsonb. A crash sets them to nothing; only the archiver's own reset says so to every role. */
export const countersSql = `jsonb_build_object('oid', d.oid::bigint, 'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'statsReset', (select stats_reset from pg_stat_database s where s.datid = d.oid), 'statsBegan', (select stats_reset from pg_stat_archiver),
  'postmasterStart', pg_postmaster_start_time(),
  'tables', (select coalesce(jsonb_agg(jsonb_build_object('oid', relid::bigint, 'schema', schemaname, 'name', relname,
    'inserted', n_tup_ins, 'updated', n_tup_upd, 'deleted', n_tup_del)), '[]') from pg_stat_user_tables))`

/** Everything else, as one line of JSON. */
export const databaseFactsSql = `select 'database ' || jsonb_build_object('serverVersion', current_setting('server_version_num')::int,
  'oid', d.oid::bigint, 'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'snapshot', pg_current_snapshot()::text, 'properties', ${propertiesSql},
  'extensions', coalesce((select jsonb_agg(jsonb_build_object('name', extname, 'version', extversion)) from pg_extension), '[]'),
  'roles', coalesce((select jsonb_agg(distinct r.rolname) from pg_shdepend s join pg_roles r on r.oid = s.refobjid
    where s.refclassid = 'pg_authid'::regclass and (s.dbid = d.oid or (s.dbid = 0 and s.objid = d.oid))), '[]'),
  'counters', ${countersSql})::text from pg_database d where d.datname = current_database();`

/** Reads the lines of a facts file. Without its last line it is not whole, and is refused. */
export function parseFacts(text: string): DatabaseFacts {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.at(-1) !== 'end') throw broken('it has no end')
  const of = (kind: string) => lines.flatMap((line) => (line.startsWith(`${kind} `) ? line.slice(kind.length + 1) : []))
  const [database, schema, savepoints, alembic] = ['database', 'schema', 'savepoints', 'alembic'].map(
    (kind) => of(kind)[0],
  )
  if (!database || !schema || !savepoints) throw broken('a line is missing')
  const facts: DatabaseFacts = JSON.parse(database)
  return {
    ...facts,
    // The server's first role leaves no trace in the catalogue of who depends on whom.
    roles: [...new Set([facts.properties.owner, ...facts.roles])],
    openSavepoints: savepoints === 'true',
    schemaSha256: schema,
    ...(alembic === undefined ? {} : { alembic }),
    tables: of('table').map(readTable).toSorted(byName),
    sequences: of('sequence')
      .map((line): SequenceFacts => JSON.parse(line))
      .toSorted(byName),
    migrations: of('migration').map(readMigration),
  }
}

/** The lines that a restored database must have, from what was recorded. */
export function comparableLines(
  facts: Pick<DatabaseFacts, 'tables' | 'migrations' | 'alembic' | 'schemaSha256'>,
): string[] {
  return [
    ...facts.tables.map((it) => `table ${it.rows} ${it.hash} ${JSON.stringify(it.schema)} ${JSON.stringify(it.name)}`),
    ...facts.migrations.map((it) => `migration ${it.timestamp} ${JSON.stringify(it.name)}`),
    ...(facts.alembic === undefined ? [] : [`alembic ${facts.alembic}`]),
    `schema ${facts.schemaSha256}`,
  ]
}

// By bytes: the order of the catalogue's answer is nobody's promise, nor is that of a locale.
function byName(a: { schema: string; name: string }, b: { schema: string; name: string }): number {
  const [left, right] = [a, b].map((it) => JSON.stringify([it.schema, it.name]))
  return left! < right! ? -1 : left === right ? 0 : 1
}

function readTable(line: string): TableFacts {
  const [, rows, hash, names] = /^(\d+) (-?\d+) (.*)$/.exec(line) ?? []
  const [schema, name] = names === undefined ? [] : JSON.parse(`[${names.replace('" "', '","')}]`)
  if (!name) throw broken(`the line of a table cannot be read: ${line}`)
  return { schema, name, rows: Number(rows), hash: hash ?? '' }
}

function readMigration(line: string): { name: string; timestamp: number } {
  const space = line.indexOf(' ')
  return { name: JSON.parse(line.slice(space + 1)), timestamp: Number(line.slice(0, space)) }
}

function broken(why: string): StepbackError {
  return new StepbackError({ type: 'StepFailed', message: `the facts of the dump cannot be used: ${why}` })
}
