// Rows put into a table portion by portion; what a portion fails with is looked for in its halves, down to the one row
// that the server does not take, which says why by its code. Its words would quote the row, and are never read.

import pg from 'pg'
import { StepbackError } from '../../../plan/failure.js'
import { codeOf } from '../errors.js'
import type { RawRow, Session } from '../session.js'
import { type Candidate, keyOf } from './candidates.js'
import { orphansAmong } from './orphans.js'
import { type Relation, quoted } from './relations.js'

/** Why a row does not come along. `later`: its parent may still come. */
export interface Left {
  readonly row: Candidate
  readonly kind: 'conflicting' | 'not fitting' | 'later'
  readonly why: string
  /** The restore point has a row of its key: it is not one that was inserted since, as far as can be told. */
  readonly known?: true
}

export interface Inserted {
  readonly rows: readonly Candidate[]
  readonly left: readonly Left[]
}

export interface Pair {
  readonly table: Relation
  readonly home: Relation
  readonly key: readonly string[] | undefined
}

/** Of what both have: a generated column makes its value itself. */
export function columnsOfBoth({ table, home }: Pair): readonly { readonly name: string; readonly retyped: boolean }[] {
  return home.columns.flatMap(({ name, type, generated }) => {
    const own = table.columns.find((it) => it.name === name)
    return own && !generated ? [{ name, retyped: own.type !== type }] : []
  })
}

/** `parents`: tables whose rows may still come, so that a row without its parent is tried again. */
export async function insertRows(
  session: Session,
  pair: Pair,
  rows: readonly Candidate[],
  parents: ReadonlySet<number>,
): Promise<Inserted> {
  if (rows.length === 0) return { rows: [], left: [] }
  await session.query('savepoint stepback_portion')
  try {
    const result = await insertOnce(session, pair, rows)
    await session.query('release savepoint stepback_portion')
    return result
  } catch (error) {
    await session.query('rollback to savepoint stepback_portion; release savepoint stepback_portion')
    if (rows.length > 1 && isOfARow(error)) {
      const orphans = await orphansOf(session, pair, rows, error)
      if (orphans.length > 0) {
        const others = await insertRows(session, pair, without(rows, orphans), parents)
        const left = orphans.map((row) => ({ row, ...reasonOf(error, pair, parents) }))
        return { rows: others.rows, left: [...others.left, ...left] }
      }
      const half = Math.ceil(rows.length / 2)
      const first = await insertRows(session, pair, rows.slice(0, half), parents)
      const second = await insertRows(session, pair, rows.slice(half), parents)
      return { rows: [...first.rows, ...second.rows], left: [...first.left, ...second.left] }
    }
    return { rows: [], left: [{ row: rows[0]!, ...reasonOf(error, pair, parents) }] }
  }
}

/** Those that fail as the portion did, where it lacked a parent. */
async function orphansOf(session: Session, { table, home }: Pair, rows: readonly Candidate[], error: unknown) {
  const { code, constraint } = codeOf(error)
  const key = code === '23503' && home.foreignKeys.find((it) => it.name === constraint)
  return key ? await orphansAmong(session, { table, home, key }, rows) : []
}

function without(rows: readonly Candidate[], some: readonly Candidate[]): readonly Candidate[] {
  const gone = new Set(some)
  return rows.filter((it) => !gone.has(it))
}

async function insertOnce(session: Session, pair: Pair, rows: readonly Candidate[]): Promise<Inserted> {
  const { table, home, key } = pair
  const columns = columnsOfBoth(pair)
  if (columns.length === 0) return { rows: [], left: rows.map((row) => ({ row, ...nothingInCommon })) }
  const at = columns.map(({ name }) => table.columns.findIndex((it) => it.name === name))
  const values = rows.flatMap((row) => at.map((index) => row.values[index]!))
  const lists = rows.map((_, row) => `(${at.map((_index, column) => `$${row * at.length + column + 1}`).join(', ')})`)
  const names = columns.map(({ name }) => pg.escapeIdentifier(name))
  const retyped = columns.filter((it) => it.retyped).map((it) => it.name)
  const told = [...(key ?? []), ...retyped].map((name) => pg.escapeIdentifier(name))
  const into = `${quoted(home)} (${names.join(', ')}) overriding system value values ${lists.join(', ')}`
  const conflict = key ? ` on conflict (${key.map((name) => pg.escapeIdentifier(name)).join(', ')}) do nothing` : ''
  const back = await session.rawRows(
    `insert into ${into}${conflict} returning ${told.length > 0 ? told.join(', ') : '1'}`,
    values,
  )
  if (retyped.length > 0) ensureUnchanged(pair, rows, back, retyped)
  if (!key || back.length === rows.length) return { rows, left: [] }
  const done = new Set(back.map((row) => JSON.stringify(row.slice(0, key.length))))
  const isDone = (row: Candidate) => done.has(JSON.stringify(keyOf(table, key, row)))
  const left = rows.filter((row) => !isDone(row)).map((row) => ({ row, ...alreadyThere }))
  return { rows: rows.filter(isDone), left }
}

const nothingInCommon = { kind: 'not fitting', why: 'have no column that is there' } as const
const alreadyThere = { kind: 'conflicting', why: 'are rows of the restore point, changed since', known: true } as const

/** A column of another type may have cut its value, or made another one of it, without saying so. */
function ensureUnchanged(
  { table, key }: Pair,
  rows: readonly Candidate[],
  back: readonly RawRow[],
  retyped: readonly string[],
): void {
  const width = key?.length ?? 0
  const told = new Map(
    back.map((row, index) => [key ? JSON.stringify(row.slice(0, width)) : String(index), row.slice(width)]),
  )
  for (const [index, row] of rows.entries()) {
    const now = told.get(key ? JSON.stringify(keyOf(table, key, row)) : String(index))
    const then = keyOf(table, retyped, row)
    if (now && JSON.stringify(now.map(plain)) !== JSON.stringify(then.map(plain))) throw new Changed()
  }
}

/** A number is the same one with another scale. */
function plain(value: string | null | undefined): string | null | undefined {
  return value && /^-?\d+\.\d+$/.test(value) ? value.replace(/\.?0+$/, '') : value
}

/** A value that came out as another one. */
class Changed extends Error {}

function isOfARow(error: unknown): boolean {
  if (error instanceof Changed) return true
  const { code } = codeOf(error)
  // Data, integrity, a view's check, and what code of the database itself raises.
  return code !== undefined && /^(22|23|44|P0|38)/.test(code)
}

function reasonOf(error: unknown, { home }: Pair, parents: ReadonlySet<number>): Omit<Left, 'row'> {
  if (error instanceof Changed) return { kind: 'not fitting', why: 'have a value that would become another one' }
  if (!isOfARow(error)) throw failedWith(error, home)
  const { code, constraint, column } = codeOf(error)
  if (code === '23505' || code === '23P01') return { kind: 'conflicting', why: `are taken by ${constraint}` }
  if (code === '23503') {
    const parent = home.foreignKeys.find((it) => it.name === constraint)?.parent
    const kind = parent !== undefined && parents.has(parent) ? 'later' : 'not fitting'
    return { kind, why: `have no parent (${constraint})` }
  }
  return { kind: 'not fitting', why: words(code!, constraint, column) }
}

function words(code: string, constraint: string | undefined, column: string | undefined): string {
  if (code === '23502') return `need a value for ${column}`
  if (code === '23514') return constraint === undefined ? 'have no partition' : `do not pass ${constraint}`
  return code.startsWith('22') ? 'have a value of another type' : `are refused (${code})`
}

/** The server's words stay out: they may quote a row. A lost connection and a lock are told by their types. */
function failedWith(error: unknown, home: Relation): StepbackError {
  const { code } = codeOf(error)
  const type = error instanceof StepbackError ? error.type : 'StepFailed'
  const said = code === undefined ? 'the connection ended' : `the server says ${code}`
  return new StepbackError({ type, message: `rows could not be put into "${home.schema}.${home.name}": ${said}` })
}
