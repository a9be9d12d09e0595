// Rows of the live database that were inserted since: by the transactions that wrote them, else by keys that the other
// database does not have. Both read in portions, so that no table has to fit into memory.

import pg from 'pg'
import { ownWritesTo } from '../counters.js'
import type { RawRow, Session } from '../session.js'
import { type Since, ofMigrations, written, young } from '../written-since.js'
import { type Relation, quoted } from './relations.js'

/** A portion has to fit into memory, and its values into one statement. */
const portion = 200
const keyPortion = 5_000

export interface Candidate {
  /** In the order of the live table's columns. */
  readonly values: RawRow
  /** A migration wrote it last: it may be older, and is the application's unless the migration inserted rows. */
  readonly migrated: boolean
}

/** Whether a migration put rows of its own into it. */
export function isSeeded(table: Relation, { migrations }: Since): boolean {
  return ownWritesTo(table.oid, migrations).inserted > 0
}

export async function* writtenSince(live: Session, table: Relation, since: Since): AsyncGenerator<Candidate[]> {
  const values = [since.snapshot, since.migrations.map((it) => it.xid)]
  const select = `select ${columnsOf(table)}, ${ofMigrations} from only ${quoted(table)} x where ${young} and ${written}`
  for await (const rows of fetched(live, select, values, portionOf(table)))
    yield rows.map((row) => ({ values: row.slice(0, -1), migrated: row.at(-1) === 't' }))
}

export async function* allRows(live: Session, table: Relation): AsyncGenerator<Candidate[]> {
  const select = `select ${columnsOf(table)} from only ${quoted(table)} x`
  for await (const rows of fetched(live, select, [], portionOf(table)))
    yield rows.map((values) => ({ values, migrated: false }))
}

/** Of each portion of keys the other side says which it does not have. */
export async function* unknownThere(
  live: Session,
  there: Session,
  input: { readonly table: Relation; readonly home: Relation; readonly key: readonly string[] },
): AsyncGenerator<Candidate[]> {
  const { table, key } = input
  const keys = `select ${key.map((it) => `x.${pg.escapeIdentifier(it)}`).join(', ')} from only ${quoted(table)} x`
  for await (const rows of fetched(live, keys, [], keyPortion)) {
    const missing = await missingKeys(there, input, rows)
    for (let at = 0; at < missing.length; at += portionOf(table)) {
      const part = missing.slice(at, at + portionOf(table))
      const found = await live.rawRows(
        `select ${columnsOf(table)} from only ${quoted(table)} x join ${keyRows(table, key)} on ${sameKey(key)}`,
        listsOf(part, key.length),
      )
      yield found.map((values) => ({ values, migrated: false }))
    }
  }
}

/** Keys that no row of the other table has. */
export async function missingKeys(
  there: Session,
  { home, key }: { readonly home: Relation; readonly key: readonly string[] },
  keys: readonly RawRow[],
): Promise<readonly RawRow[]> {
  if (keys.length === 0) return []
  const names = key.map((_, index) => `k.k${index}`).join(', ')
  return await there.rawRows(
    `select ${names} from ${keyRows(home, key)} where not exists (select from ${quoted(home)} x where ${sameKey(key)})`,
    listsOf(keys, key.length),
  )
}

export function keyOf(table: Relation, key: readonly string[], { values }: Candidate): RawRow {
  return key.map((name) => values[table.columns.findIndex((it) => it.name === name)]!)
}

/** A statement has room for so many values. */
export function portionOf({ columns }: Relation): number {
  return Math.max(1, Math.min(portion, Math.floor(60_000 / Math.max(1, columns.length))))
}

async function* fetched(
  session: Session,
  select: string,
  values: readonly unknown[],
  count: number,
): AsyncGenerator<readonly RawRow[]> {
  await session.rawRows(`declare stepback_rows no scroll cursor for ${select}`, values)
  for (;;) {
    const rows = await session.rawRows(`fetch ${count} from stepback_rows`)
    if (rows.length > 0) yield rows
    if (rows.length < count) break
  }
  await session.rawRows('close stepback_rows')
}

function columnsOf({ columns }: Relation): string {
  // A table may have no column at all.
  return columns.length === 0 ? 'null' : columns.map((it) => `x.${pg.escapeIdentifier(it.name)}`).join(', ')
}

function keyRows(relation: Relation, key: readonly string[]): string {
  const types = key.map((name) => relation.columns.find((it) => it.name === name)!.type)
  const lists = types.map((type, index) => `$${index + 1}::${bare(type)}[]`).join(', ')
  return `unnest(${lists}) k(${key.map((_, index) => `k${index}`).join(', ')})`
}

/** With its modifier a list of a type would cut what is in it. */
function bare(type: string): string {
  return type.replace(/\(\d[\d,]*\)/, '').replace(/^character$/, 'bpchar')
}

function sameKey(key: readonly string[]): string {
  return key.map((name, index) => `x.${pg.escapeIdentifier(name)} = k.k${index}`).join(' and ')
}

function listsOf(rows: readonly RawRow[], width: number): readonly (readonly (string | null)[])[] {
  return Array.from({ length: width }, (_, index) => rows.map((row) => row[index]!))
}
