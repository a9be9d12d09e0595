// A database of its own with nothing in it, beside the live one: what migrations produce is seen there.

import { createDatabaseSql } from '../../commands/database/properties.js'
import { identifier } from '../../commands/database/sql.js'
import type { DatabaseProperties } from '../../plan/manifest.js'
import { Session, type DatabaseAddress } from './session.js'

/** Makes it anew with the encoding, locale and extensions of the live one that the address leads to. */
export async function createEmptyDatabase(
  live: DatabaseAddress,
  input: { readonly name: string; readonly owner: string },
): Promise<void> {
  const extensions = await withSession(live, async (session) => {
    const properties = await propertiesOf(session, input.owner)
    await drop(session, input.name)
    // One by one: CREATE DATABASE is in no transaction, and several statements in one go are one.
    for (const statement of createDatabaseSql({ name: input.name, properties }).split('\n'))
      await session.query(statement)
    return await session.query<{ name: string; schema: string }>(
      `select extname as name, nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
       where extname <> 'plpgsql' order by extname`,
    )
  })
  await withSession({ ...live, database: input.name }, async (session) => {
    for (const { name, schema } of extensions) {
      await session.query(`create schema if not exists ${identifier(schema)}`)
      await session.query(`create extension if not exists ${identifier(name)} schema ${identifier(schema)} cascade`)
    }
  })
}

/** Ends whoever is connected to it. */
export async function dropEmptyDatabase(live: DatabaseAddress, name: string): Promise<void> {
  await withSession(live, (session) => drop(session, name))
}

async function withSession<T>(address: DatabaseAddress, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.connect(address)
  try {
    return await work(session)
  } finally {
    await session.end()
  }
}

async function drop(session: Session, name: string): Promise<void> {
  await session.query(`drop database if exists ${identifier(name)} with (force)`)
}

// Versions name the locale's columns differently; as JSON, those that are missing are just not there.
async function propertiesOf(session: Session, owner: string): Promise<DatabaseProperties> {
  const [row] = await session.query<{ d: Readonly<Record<string, string | null>>; encoding: string }>(
    'select to_jsonb(d) as d, pg_encoding_to_char(encoding) as encoding from pg_database d where datname = current_database()',
  )
  const { d, encoding } = row!
  return {
    owner,
    encoding,
    collate: d['datcollate']!,
    ctype: d['datctype']!,
    localeProvider: d['datlocprovider'] ?? 'c',
    locale: d['datlocale'] ?? d['daticulocale'] ?? null,
    icuRules: d['daticurules'] ?? null,
    connectionLimit: -1,
    acl: [],
    settings: [],
    roleSettings: [],
    comment: null,
  }
}
