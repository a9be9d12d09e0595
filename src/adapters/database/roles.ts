import type { RoleFacts } from '../../plan/roles.js'
import { Session, type DatabaseAddress } from './session.js'

/** What the address's own role may do in its database. */
export async function readRole(address: DatabaseAddress): Promise<RoleFacts> {
  const session = await Session.connect(address)
  try {
    const [facts] = await session.query<RoleFacts>(roleSql)
    return facts!
  } finally {
    await session.end()
  }
}

const roleSql = `select r.rolname::text as name, r.rolsuper as superuser, r.rolcreatedb as "createsDatabases",
  pg_has_role(d.datdba, 'usage') as "ownsDatabase", pg_get_userbyid(d.datdba)::text as "databaseOwner",
  coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'create'), true) as "createsInSchema",
  array(select distinct pg_get_userbyid(c.relowner)::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not pg_has_role(c.relowner, 'usage') order by 1) as strangers,
  pg_has_role('pg_signal_backend', 'usage') as "endsSessions",
  pg_has_role('pg_read_all_stats', 'usage') as "seesSessions",
  has_function_privilege('pg_control_system()', 'execute') as "identifiesServer",
  array(select e.extname::text from pg_extension e join pg_available_extension_versions v
    on v.name = e.extname and v.version = e.extversion where not v.trusted order by 1) as untrusted
  from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`
