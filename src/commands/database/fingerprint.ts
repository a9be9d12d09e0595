// What a schema is, as one text of the catalogue and its hash. It is SQL alone, so that the same words run in a host's
// job, over a tunnel, and inside a migration's transaction before it commits, where no pg_dump can look.

import { literal, pinnedSettings } from './sql.js'

const everything: Part = { administration: true, ignored: { tables: [], columns: [] } }

const hash = `select encode(sha256(convert_to(coalesce(string_agg(line, e'\\n' order by line collate "C"), ''), 'UTF8')), 'hex')`

/** One row, one text: the SHA-256 of the schema. Run it under the pinned settings. */
export const schemaFingerprintSql = fingerprint(hash, everything)

/** Both together, as the worker takes them over the tunnel: settings to pin first, then the query. */
export const schemaFingerprint = { settings: pinnedSettings, sql: schemaFingerprintSql } as const

/** What is left out where two databases are compared that different hands made: patterns in which `*` is anything. */
export interface Ignored {
  /** `table`, or `schema.table` outside of public. */
  readonly tables: readonly string[]
  /** The same with `.column` behind it. */
  readonly columns: readonly string[]
}

/**
 * What migrations make of a schema: its hash, and its lines as `line` in the order of their text. Owners, grants and
 * publications are the administrator's, who gives them to tables of any origin, and are no part of it.
 */
export function schemaStructure(ignored: Ignored): {
  readonly settings: string
  readonly hash: string
  readonly lines: string
} {
  const part: Part = { administration: false, ignored }
  const lines = fingerprint('select line', part)
  return { settings: pinnedSettings, hash: fingerprint(hash, part), lines: `${lines} order by line collate "C"` }
}

interface Part {
  readonly administration: boolean
  readonly ignored: Ignored
}

// Reading a dump in turns `(ARRAY['a'::varchar])::text[]` of a check over a varchar into `ARRAY[('a'::varchar)::text]`,
// which means the same; without this no database with such a check would ever equal its own restore.
function settled(definition: string): string {
  const each = `regexp_replace(${definition}, $r$\\(('(?:[^']|'')*'::character varying)\\)::text$r$, '\\1', 'g')`
  const whole = `$r$\\(ARRAY\\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\\]\\)::text\\[\\]$r$`
  return `regexp_replace(${each}, ${whole}, 'ARRAY[\\1]', 'g')`
}

// A grant that equals the default is not dumped, so null and the default are one.
function grantsOf(acl: string, kind: string, owner: string): string {
  return `array(select format('%s=%s%s', case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end,
      a.privilege_type, case when a.is_grantable then '*' end) collate "C"
    from aclexplode(coalesce(${acl}, acldefault(${kind}, ${owner}))) a order by 1)`
}

function fingerprint(select: string, part: Part): string {
  return `with members as (select classid, objid from pg_depend where deptype = 'e'),
-- TypeORM's own record: it comes with the first migration and stays after the last is reverted
records as (
  select c.oid from pg_class c where c.relname = 'migrations' and c.relkind = 'r' and array['id', 'name', 'timestamp']
    = array(select a.attname::text collate "C" from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by 1)
),
ns as (
  select n.* from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from members m where m.classid = 'pg_namespace'::regclass and m.objid = n.oid)
),
rel as (
  select c.*, format('%I.%I', ns.nspname, c.relname) as name from pg_class c join ns on ns.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c') and c.relpersistence <> 't'
    and c.oid not in (select oid from records)${ignoredTables(part.ignored)}
    and not exists (select from members m where m.classid = 'pg_class'::regclass and m.objid = c.oid)
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
      and d.refclassid = 'pg_class'::regclass and d.refobjid in (select oid from records))
),
${ignoredColumns(part.ignored)}typ as (
  select t.*, format('%I.%I', ns.nspname, t.typname) as name from pg_type t join ns on ns.oid = t.typnamespace
  where t.typtype in ('e', 'd', 'r')
    and not exists (select from members m where m.classid = 'pg_type'::regclass and m.objid = t.oid)
),
proc as (
  select p.*, format('%I.%I(%s)', ns.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name
  from pg_proc p join ns on ns.oid = p.pronamespace
  where not exists (select from members m where m.classid = 'pg_proc'::regclass and m.objid = p.oid)
),
named(classid) as (
  values ('pg_operator'::regclass), ('pg_opclass'), ('pg_opfamily'), ('pg_collation'), ('pg_conversion'),
    ('pg_ts_config'), ('pg_ts_dict'), ('pg_cast'), ('pg_foreign_server'), ('pg_foreign_data_wrapper'),
    ('pg_event_trigger'), ('pg_language')
),
lines(line) as (
${lines(part).join('\n  union all\n')}
)
${select} from lines`
}

// The sequence of an ignored table goes with it.
function ignoredTables({ tables }: Ignored): string {
  if (tables.length === 0) return ''
  const named = `case ns.nspname when 'public' then '' else ns.nspname || '.' end || c.relname`
  return `
    and not ${matches(named, tables)}
    and not exists (select from pg_depend d join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace
      where c.relkind = 'S' and d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
      and d.deptype in ('a', 'i') and ${matches(`case tn.nspname when 'public' then '' else tn.nspname || '.' end || t.relname`, tables)})`
}

function ignoredColumns({ columns }: Ignored): string {
  if (columns.length === 0) return ''
  const named = `case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname || '.' || a.attname`
  return `ignored as (
  select a.attrelid, a.attnum from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where a.attnum > 0 and not a.attisdropped and ${matches(named, columns)}
),
`
}

function matches(name: string, patterns: readonly string[]): string {
  const each = patterns.map((it) => it.replaceAll(/[.*+?^${}()|[\]\\]/g, (c) => (c === '*' ? '.*' : `\\${c}`)))
  return `${name} ~ ${literal(`^(${each.join('|')})$`)}`
}

function lines({ administration, ignored }: Part): readonly string[] {
  const grants = administration ? grantsOf : () => 'null'
  const owner = (role: string) => (administration ? `pg_get_userbyid(${role})` : 'null')
  const unless = (relation: string, numbers: string) =>
    ignored.columns.length === 0
      ? ''
      : ` and not exists (select from ignored x where x.attrelid = ${relation} and x.attnum = any(${numbers}))`
  // The comment of an ignored table, or of a column of it, goes with it.
  const ofTheRest =
    ignored.tables.length === 0
      ? ''
      : ` and (d.classoid <> 'pg_class'::regclass or d.objoid in (select oid from rel)
      or exists (select from pg_index i join rel r on r.oid = i.indrelid where i.indexrelid = d.objoid))`
  return [
    `select concat_ws(' ', 'schema', quote_ident(n.nspname), ${owner('n.nspowner')},
    ${grants('n.nspacl', `'n'`, 'n.nspowner')}) from ns n`,
    `select concat_ws(' ', 'extension', quote_ident(e.extname), quote_ident(n.nspname))
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace`,
    `select concat_ws(' ', 'relation', r.relkind, r.name, ${owner('r.relowner')}, r.relpersistence,
    r.relrowsecurity, r.relforcerowsecurity, r.relreplident,
    ${grants('r.relacl', `case r.relkind when 'S' then 's' else 'r' end::"char"`, 'r.relowner')},
    array(select o collate "C" from unnest(r.reloptions) o order by 1),
    pg_get_partkeydef(r.oid), pg_get_expr(r.relpartbound, r.oid)) from rel r where r.relkind <> 'c'`,
    `select concat_ws(' ', 'column', r.name, row_number() over (partition by r.oid order by a.attnum),
    quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
    a.attstorage, coalesce(a.attstattarget, -1), (select collname from pg_collation c where c.oid = a.attcollation),
    ${settled('pg_get_expr(d.adbin, d.adrelid)')},
    case when a.attacl is not null then ${grants('a.attacl', `'c'`, 'r.relowner')} end)
    from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped${unless('a.attrelid', 'array[a.attnum]')}
    left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum where r.relkind <> 'S'`,
    `select concat_ws(' ', 'constraint', r.name, quote_ident(c.conname), c.convalidated,
    ${settled('pg_get_constraintdef(c.oid)')}) from pg_constraint c join rel r on r.oid = c.conrelid${unless('r.oid', 'c.conkey')}`,
    `select concat_ws(' ', 'index', r.name, i.indisvalid, i.indisclustered, i.indisreplident,
    ${settled('pg_get_indexdef(i.indexrelid)')}) from pg_index i join rel r on r.oid = i.indrelid${unless('r.oid', 'i.indkey::int2[]')}`,
    `select concat_ws(' ', 'trigger', r.name, t.tgenabled, pg_get_triggerdef(t.oid))
    from pg_trigger t join rel r on r.oid = t.tgrelid where not t.tgisinternal`,
    `select concat_ws(' ', 'rule', r.name, w.ev_enabled, ${settled('pg_get_ruledef(w.oid)')})
    from pg_rewrite w join rel r on r.oid = w.ev_class`,
    `select concat_ws(' ', 'policy', r.name, quote_ident(p.polname), p.polcmd, p.polpermissive,
    array(select case x when 0 then 'public' else pg_get_userbyid(x) end from unnest(p.polroles) x order by 1),
    ${settled('pg_get_expr(p.polqual, p.polrelid)')}, ${settled('pg_get_expr(p.polwithcheck, p.polrelid)')})
    from pg_policy p join rel r on r.oid = p.polrelid`,
    `select concat_ws(' ', 'inherits', r.name, i.inhseqno, i.inhparent::regclass)
    from pg_inherits i join rel r on r.oid = i.inhrelid`,
    `select concat_ws(' ', 'sequence', r.name, format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmax,
    s.seqmin, s.seqcache, s.seqcycle, (select pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.deptype in ('a', 'i')
      and d.refclassid = 'pg_class'::regclass limit 1)) from pg_sequence s join rel r on r.oid = s.seqrelid`,
    `select concat_ws(' ', 'type', t.typtype, t.name, ${owner('t.typowner')},
    ${grants('t.typacl', `'T'`, 't.typowner')}, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
    array(select quote_literal(e.enumlabel) from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
    (select format_type(g.rngsubtype, null) from pg_range g where g.rngtypid = t.oid),
    array(select ${settled('pg_get_constraintdef(c.oid)')} collate "C" from pg_constraint c where c.contypid = t.oid order by 1))
    from typ t`,
    `select concat_ws(' ', 'function', p.name, p.prokind, ${owner('p.proowner')},
    ${grants('p.proacl', `'f'`, 'p.proowner')}, case when p.prokind = 'a'
      then (select to_jsonb(g)::text from (select a.aggtransfn::text, a.aggfinalfn::text, a.aggtranstype::regtype::text,
        a.agginitval from pg_aggregate a where a.aggfnoid = p.oid) g)
      else pg_get_functiondef(p.oid) end) from proc p`,
    `select concat_ws(' ', 'statistics', pg_get_statisticsobjdef(s.oid)) from pg_statistic_ext s join rel r on r.oid = s.stxrelid`,
    `select concat_ws(' ', 'object', o.type, o.identity) from named n, lateral (
    select oid from pg_operator where n.classid = 'pg_operator'::regclass
    union all select oid from pg_opclass where n.classid = 'pg_opclass'::regclass
    union all select oid from pg_opfamily where n.classid = 'pg_opfamily'::regclass
    union all select oid from pg_collation where n.classid = 'pg_collation'::regclass
    union all select oid from pg_conversion where n.classid = 'pg_conversion'::regclass
    union all select oid from pg_ts_config where n.classid = 'pg_ts_config'::regclass
    union all select oid from pg_ts_dict where n.classid = 'pg_ts_dict'::regclass
    union all select oid from pg_cast where n.classid = 'pg_cast'::regclass
    union all select oid from pg_foreign_server where n.classid = 'pg_foreign_server'::regclass
    union all select oid from pg_foreign_data_wrapper where n.classid = 'pg_foreign_data_wrapper'::regclass
    union all select oid from pg_event_trigger where n.classid = 'pg_event_trigger'::regclass
    union all select oid from pg_language where n.classid = 'pg_language'::regclass
  ) x, lateral pg_identify_object(n.classid, x.oid, 0) o
  where x.oid >= 16384 and not exists (select from members m where m.classid = n.classid and m.objid = x.oid)`,
    `select concat_ws(' ', 'comment', o.type, o.identity, quote_literal(d.description))
    from pg_description d, lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) o
    where (d.objoid >= 16384 or d.classoid = 'pg_namespace'::regclass) and o.identity is not null
    and not (d.classoid = 'pg_class'::regclass and d.objoid in (select oid from records))
    and not exists (select from members m where m.classid = d.classoid and m.objid = d.objoid)${unless('d.objoid', 'array[d.objsubid::int2]')}${ofTheRest}`,
    ...(administration ? administered() : []),
  ]
}

function administered(): readonly string[] {
  return [
    `select concat_ws(' ', 'default grants', pg_get_userbyid(d.defaclrole), d.defaclnamespace::regnamespace,
    d.defaclobjtype, ${grantsOf('d.defaclacl', 'd.defaclobjtype', 'd.defaclrole')}) from pg_default_acl d`,
    `select concat_ws(' ', 'publication', quote_ident(p.pubname), p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete,
    p.pubtruncate, array(select x.prrelid::regclass::text collate "C" from pg_publication_rel x
      where x.prpubid = p.oid order by 1)) from pg_publication p`,
  ]
}
