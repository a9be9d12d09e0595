// The database of a target as a run sees it: looked at, counted, never changed from here.

import { propertiesSql } from '../../commands/database/facts.js'
import type { BesideDatabase, Counters, DatabaseProperties } from '../../plan/manifest.js'
import type { ExposedTable } from '../../plan/plan.js'
import { readCounters } from './counters.js'
import { countDropped, type CountedHow, type Dropped } from './dropped.js'
import { changed } from './operation.js'
import { countExposure, type Baseline, type Counted, type Remembered } from './exposure.js'
import { databaseError } from './errors.js'
import { Session, type DatabaseAddress } from './session.js'

export interface Observation {
  /** As in `server_version_num`, e.g. 170012. */
  readonly serverVersion: number
  readonly oid: number
  readonly systemIdentifier: string
  readonly sizeBytes: number
  /** Full names of the recorded migrations in the order of their application. */
  readonly applied: readonly string[]
  /** There are tables, and no record of a migration: another tool made them, and they must be adopted first. */
  readonly unrecorded: boolean
  readonly alembic: string | null
  readonly preparedTransactions: number
  /** Sessions of others. */
  readonly sessions: number
  readonly superuser: boolean
  readonly mayCreateDatabases: boolean
  readonly extensions: readonly { readonly name: string; readonly version: string }[]
  /** Extensions that the server has, by name, with every version of them. */
  readonly available: readonly { readonly name: string; readonly version: string }[]
  /** Of the server, by name. */
  readonly roles: readonly string[]
  /** Every database of the server; those of stepback are known by their names. */
  readonly databases: readonly ServerDatabase[]
}

export interface ServerDatabase {
  readonly name: string
  readonly oid: number
  readonly allowsConnections: boolean
  /** A drop was cut off: only another drop helps. */
  readonly invalid: boolean
  readonly sizeBytes: number
  /**
   * How many sessions of clients ever were in it, by the server's count, which a crash begins anew; where it counts
   * none (before 14) how many rows were written.
   */
  readonly visits: string
}

export class TargetDatabase {
  private constructor(private readonly session: Session) {}

  static async connect(address: DatabaseAddress): Promise<TargetDatabase> {
    return new TargetDatabase(await Session.connect(address))
  }

  /** The session's process in the server: what a swap's judge spares. */
  get pid(): number {
    return this.session.pid
  }

  end(): Promise<void> {
    return this.session.end()
  }

  async observe(): Promise<Observation> {
    const [facts] = await this.session.query<Omit<Observation, 'applied' | 'unrecorded' | 'alembic'>>(observeSql)
    const records = await this.records()
    const [alembic] = await this.rowsOf<{ version: string }>(
      'alembic_version',
      'select version_num as version from alembic_version',
    )
    const [{ tables } = { tables: false }] = await this.session.query<{ tables: boolean }>(
      `select exists (select from pg_tables where schemaname !~ '^pg_' and schemaname <> 'information_schema'
       and tablename not in ('migrations', 'alembic_version')) as tables`,
    )
    return {
      ...facts!,
      sizeBytes: Number(facts!.sizeBytes),
      applied: records,
      unrecorded: tables && records.length === 0,
      alembic: alembic?.version ?? null,
    }
  }

  /** What `createDatabaseSql` and `propertiesSql` need of a database of this server, known by name and oid. */
  async propertiesOf({ name, oid }: BesideDatabase): Promise<DatabaseProperties> {
    const [row] = await this.session.query<{ properties: DatabaseProperties }>(
      `select ${propertiesSql} as properties from pg_database d where d.datname = $1 and d.oid = $2`,
      [name, oid],
    )
    if (row) return row.properties
    throw changed(`the database "${name}" should have oid ${oid}, and is gone or another one`)
  }

  /** The schema's hash, by the words of `schemaFingerprint`; the session's settings are as before afterwards. */
  async schemaSha256(input: { readonly settings: string; readonly sql: string }): Promise<string> {
    await this.session.query('begin read only')
    try {
      await this.session.query(input.settings)
      const [row] = await this.session.query<Record<string, string>>(input.sql)
      return Object.values(row!)[0]!
    } finally {
      await this.session.query('rollback')
    }
  }

  /** The schema's lines, as `schemaStructure` words them, in their order. */
  async schemaLines(input: { readonly settings: string; readonly lines: string }): Promise<readonly string[]> {
    return this.session.transaction(async () => {
      await this.session.query(input.settings)
      const rows = await this.session.query<{ line: string }>(input.lines)
      return rows.map((row) => row.line)
    }, 'begin read only')
  }

  /** What going back to a restore point would lose, and the counters of that moment. Reads every table once. */
  exposure(baseline: Baseline, remembered?: Remembered): Promise<Counted> {
    return countExposure(this.session, baseline, remembered)
  }

  /** What is in tables and columns that somebody's SQL would drop. */
  countDropped(dropped: Dropped, how?: Pick<CountedHow, 'except'>): Promise<readonly ExposedTable[]> {
    return countDropped(this.session, dropped, how)
  }

  /** Counters of now, to compare with later ones by `writesSince`: no table is read. */
  counters(): Promise<Counters> {
    return readCounters(this.session)
  }

  private async records(): Promise<readonly string[]> {
    const rows = await this.rowsOf<{ name: string }>('migrations', 'select name from migrations order by id')
    return rows.map((row) => row.name)
  }

  private async rowsOf<T extends object>(table: string, text: string): Promise<readonly T[]> {
    const [row] = await this.session.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table])
    return row?.there ? this.session.query<T>(text) : []
  }
}

/** Tries a login, and says why it fails: `Refused` for a wrong user, password or database, `Unreachable` for no answer. */
export async function login(address: DatabaseAddress): Promise<void> {
  try {
    const session = await Session.connect(address)
    await session.end()
  } catch (cause) {
    throw databaseError({ cause, what: `the login as "${address.user}"` })
  }
}

/** See `ServerDatabase.visits`. */
export function visitsOf(oid: string): string {
  return `(select coalesce(to_jsonb(s) ->> 'sessions', (tup_inserted + tup_updated + tup_deleted)::text)
    || ' since ' || coalesce(stats_reset::text, 'ever') from pg_stat_database s where s.datid = ${oid})`
}

const observeSql = `select current_setting('server_version_num')::int as "serverVersion", d.oid,
  (select system_identifier::text from pg_control_system()) as "systemIdentifier",
  pg_database_size(d.oid) as "sizeBytes",
  (select count(*)::int from pg_prepared_xacts where database = d.datname) as "preparedTransactions",
  (select count(*)::int from pg_stat_activity where datid = d.oid and pid <> pg_backend_pid()
    and backend_type = 'client backend') as sessions,
  r.rolsuper as superuser, (r.rolsuper or r.rolcreatedb) as "mayCreateDatabases",
  (select coalesce(jsonb_agg(jsonb_build_object('name', extname, 'version', extversion)), '[]') from pg_extension) as extensions,
  (select jsonb_agg(jsonb_build_object('name', name, 'version', version)) from pg_available_extension_versions) as available,
  (select jsonb_agg(rolname) from pg_roles) as roles,
  (select jsonb_agg(jsonb_build_object('name', o.datname, 'oid', o.oid::bigint, 'allowsConnections', o.datallowconn,
    'invalid', o.datconnlimit = -2, 'visits', ${visitsOf('o.oid')}, 'sizeBytes', case when o.datconnlimit = -2 then 0 else pg_database_size(o.oid) end)
    order by o.datname) from pg_database o where not o.datistemplate) as databases
  from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`
