// Which ways back the roles of a database allow, and what would have to be granted for the others.

import type { Finding } from './facts.js'

/** What the server says that a role may do. */
export interface RoleFacts {
  readonly name: string
  readonly superuser: boolean
  readonly createsDatabases: boolean
  /** Owns the database, itself or through a role that it is in. */
  readonly ownsDatabase: boolean
  readonly databaseOwner: string
  readonly createsInSchema: boolean
  /** Owners of tables whose rights it has not. */
  readonly strangers: readonly string[]
  readonly endsSessions: boolean
  readonly seesSessions: boolean
  readonly identifiesServer: boolean
  /** Installed extensions that only a superuser may create. */
  readonly untrusted: readonly string[]
}

/** One finding for each strategy. */
export function strategyFindings(roles: {
  readonly database: string
  readonly migrations: RoleFacts
  readonly admin: RoleFacts
}): Finding[] {
  const { migrations, admin, database } = roles
  const exchange = exchangeNeeds(admin, database)
  return [
    finding('migrate', migrations, migrateNeeds(migrations)),
    finding('restore', admin, [...restoreNeeds(admin), ...exchange]),
    finding('swap', admin, exchange),
  ]
}

interface Need {
  readonly has: boolean
  readonly lacks: string
  readonly grant: string
}

function finding(strategy: string, role: RoleFacts, needs: readonly Need[]): Finding {
  const check = `strategy ${strategy}`
  const missing = role.superuser ? [] : needs.filter((need) => !need.has)
  if (missing.length === 0) return { check, ok: true, detail: `possible as role "${role.name}"` }
  const lacks = missing.map((need) => need.lacks).join('; ')
  const hint = `as a superuser: ${missing.map((need) => need.grant).join('; ')}; or name another role in database.${
    strategy === 'migrate' ? 'user' : 'admin'
  }.`
  return { check, ok: false, detail: `not possible as role "${role.name}": ${lacks}`, hint }
}

function migrateNeeds(role: RoleFacts): Need[] {
  return [
    {
      has: role.createsInSchema,
      lacks: 'it may not create in schema public',
      grant: `grant create on schema public to ${quoted(role.name)}`,
    },
    ...ownership(role),
  ]
}

function restoreNeeds(role: RoleFacts): Need[] {
  return [
    ...ownership(role),
    {
      has: role.untrusted.length === 0,
      lacks: `only a superuser may create extension ${role.untrusted.join(', ')}`,
      grant: `alter role ${quoted(role.name)} superuser`,
    },
    {
      has: role.identifiesServer,
      lacks: 'it may not call pg_control_system()',
      grant: `grant execute on function pg_control_system() to ${quoted(role.name)}`,
    },
  ]
}

function exchangeNeeds(role: RoleFacts, database: string): Need[] {
  const name = quoted(role.name)
  return [
    { has: role.createsDatabases, lacks: 'it has no CREATEDB', grant: `alter role ${name} createdb` },
    {
      has: role.ownsDatabase,
      lacks: `database "${database}" belongs to "${role.databaseOwner}"`,
      grant: `grant ${quoted(role.databaseOwner)} to ${name}`,
    },
    {
      has: role.endsSessions && role.seesSessions,
      lacks: 'it may not see and end the sessions of others',
      grant: `grant pg_signal_backend, pg_read_all_stats to ${name}`,
    },
  ]
}

function ownership(role: RoleFacts): Need[] {
  return [
    {
      has: role.strangers.length === 0,
      lacks: `tables belong to ${role.strangers.join(', ')}`,
      grant: `grant ${role.strangers.map(quoted).join(', ')} to ${quoted(role.name)}`,
    },
  ]
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
