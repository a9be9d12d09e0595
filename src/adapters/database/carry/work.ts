// One table on its way: what of it comes along, and why the rest does not.

import type { CarriedTable, CarryMethod } from '../../../plan/carry.js'
import { StepbackError } from '../../../plan/failure.js'
import type { RawRow, Session } from '../session.js'
import type { Since } from '../written-since.js'
import { type Candidate, allRows, isSeeded, keyOf, missingKeys, unknownThere, writtenSince } from './candidates.js'
import { type Left, type Pair, columnsOfBoth, insertRows } from './inserts.js'
import { type Relation, labelOf } from './relations.js'

/** A row that does not come along, or not with all its values. */
export interface LeftRow {
  readonly table: string
  readonly kind: 'conflicting' | 'not fitting' | 'cut'
  readonly why: string
  readonly row: Readonly<Record<string, string | null>>
}

type Leave = (row: LeftRow) => Promise<void>

/** A table that the other database does not have. */
export async function leaveAll(
  live: Session,
  table: Relation,
  since: Since | undefined,
  leave: Leave,
): Promise<CarriedTable> {
  const why = 'have no table'
  let rows = 0
  for await (const found of since ? writtenSince(live, table, since) : allRows(live, table)) {
    rows += found.length
    for (const row of found) await leave(leftRow(table, 'not fitting', why, row))
  }
  const figures = { carried: 0, conflicting: 0, notFitting: rows, lost: rows }
  return { table: labelOf(table), method: since ? 'ids' : 'key', ...figures, reasons: rows > 0 ? [{ why, rows }] : [] }
}

/** One table on its way. */
export class Work {
  readonly #reasons = new Map<string, number>()
  #later: Left[] = []
  #cutRows = 0
  #figures = { carried: 0, conflicting: 0, notFitting: 0, lost: 0 }

  constructor(
    private readonly live: Session,
    private readonly there: Session,
    readonly pair: Pair,
    private readonly since: Since | undefined,
    /** Tables whose rows come with this one or behind it. */
    private readonly coming: ReadonlySet<number>,
    private readonly leave: Leave,
  ) {}

  get #method(): CarryMethod {
    return this.since ? 'ids' : 'key'
  }

  get #cut(): readonly string[] {
    const kept = columnsOfBoth(this.pair).map((it) => it.name)
    const { table, home } = this.pair
    const made = home.columns.filter((it) => it.generated).map((it) => it.name)
    return table.columns.filter((it) => !it.generated && ![...kept, ...made].includes(it.name)).map((it) => it.name)
  }

  get figures(): CarriedTable {
    const reasons = [...this.#reasons].map(([why, rows]) => ({ why, rows }))
    const without = this.#cutRows > 0 ? { without: { columns: this.#cut, rows: this.#cutRows } } : {}
    return { table: labelOf(this.pair.table), method: this.#method, ...this.#figures, ...without, reasons }
  }

  async carry(): Promise<void> {
    for await (const rows of this.#candidates()) await this.#put(await this.#ofTheApplication(rows))
  }

  /** Tries again what had no parent; how many came in. */
  async again(): Promise<number> {
    const waiting = this.#later.splice(0).map((it) => it.row)
    const before = this.#figures.carried
    await this.#put(waiting)
    return this.#figures.carried - before
  }

  async close(): Promise<void> {
    for (const it of this.#later.splice(0)) await this.#leave(it)
  }

  #candidates(): AsyncGenerator<Candidate[]> {
    const { table, home, key } = this.pair
    if (this.since) return writtenSince(this.live, table, this.since)
    if (!key) throw unknowable(table)
    return unknownThere(this.live, this.there, { table, home, key })
  }

  /** Rows that a migration itself put there belong to its release; those that it wrote anew may be older. */
  async #ofTheApplication(rows: readonly Candidate[]): Promise<readonly Candidate[]> {
    const { table, key } = this.pair
    if (!key || !this.since || !isSeeded(table, this.since)) return rows
    const migrated = rows.filter((it) => it.migrated)
    const missing = await missingKeys(
      this.there,
      { home: this.pair.home, key },
      migrated.map((it) => keyOf(table, key, it)),
    )
    const unknown = new Set(missing.map((it) => JSON.stringify(it)))
    for (const row of migrated) {
      const isNew = unknown.has(JSON.stringify(keyOf(table, key, row)))
      if (isNew) await this.#leave({ row, kind: 'not fitting', why: 'were written by a migration', known: true })
    }
    return rows.filter((it) => !it.migrated)
  }

  async #put(rows: readonly Candidate[]): Promise<void> {
    const { rows: carried, left } = await insertRows(this.there, this.pair, rows, this.coming)
    this.#figures.carried += carried.length
    for (const row of carried) await this.#told(row)
    for (const it of left) {
      if (it.kind === 'later') this.#later.push(it)
      else await this.#leave(it)
    }
  }

  /** Values for which the schema of then has no column. */
  async #told(row: Candidate): Promise<void> {
    const { table } = this.pair
    const cut = this.#cut
    if (cut.length === 0 || keyOf(table, cut, row).every((value) => value === null)) return
    this.#cutRows++
    await this.leave(leftRow(table, 'cut', `without ${cut.join(', ')}`, row))
  }

  async #leave({ row, kind, why, known }: Left): Promise<void> {
    // Rewritten by a migration, it may be as it was.
    if (known && kind === 'conflicting' && row.migrated) return
    const counted = kind === 'conflicting' ? kind : 'notFitting'
    this.#figures[counted]++
    if (!known) this.#figures.lost++
    this.#reasons.set(why, (this.#reasons.get(why) ?? 0) + 1)
    await this.leave(leftRow(this.pair.table, counted === 'notFitting' ? 'not fitting' : counted, why, row))
  }
}

function leftRow({ columns, ...table }: Relation, kind: LeftRow['kind'], why: string, { values }: Candidate): LeftRow {
  const row = Object.fromEntries(columns.map((it, index) => [it.name, (values as RawRow)[index]!]))
  return { table: labelOf(table), kind, why, row }
}

function unknowable(table: Relation): StepbackError {
  return new StepbackError({
    type: 'StepFailed',
    message: `which rows of "${labelOf(table)}" were inserted since cannot be known: it has no key, and transaction ids cannot tell`,
    hint: 'name the other tables with --carry-forward a,b.',
  })
}
