// Rows that were inserted since a restore point, put into the database that is to take the live one's place. The live one
// is only read, in one snapshot; the other one gets all of them in one transaction, or none.

import type { CarriedTable } from '../../plan/carry.js'
import type { Pair } from './carry/inserts.js'
import { silence } from './carry/quiet.js'
import { homeOf, labelOf, parentsFirst, quoted, readRelations, sharedKey } from './carry/relations.js'
import { advanceSequences } from './carry/sequences.js'
import { type LeftRow, Work, leaveAll } from './carry/work.js'
import { type Baseline, type Remembered, sameServer } from './exposure.js'
import { readCounters } from './counters.js'
import { type DatabaseAddress, Session } from './session.js'
import { type Since, committedSince, rowsTell, written, young } from './written-since.js'

export type { LeftRow } from './carry/work.js'

export interface CarryInput {
  readonly live: DatabaseAddress
  readonly into: DatabaseAddress
  /** By their labels, as `carryableTables` gives them. */
  readonly tables: readonly string[]
  /** Since which, where transaction ids may tell; null where only keys can. */
  readonly since: { readonly baseline: Baseline; readonly remembered: Remembered } | null
  readonly leave: (row: LeftRow) => Promise<void>
}

/** Where an earlier carry of the same rows stands, asked when no other can be under way any more. */
export interface CarryRecord<T> {
  /** What came of it, where it was committed: then nothing is done. */
  readonly done: () => Promise<T | undefined>
  /** The snapshot in which the database was still as it was restored, where rows were put into it since. */
  readonly pristine: () => Promise<string | undefined>
  /** Right before the commit, whose transaction it names: what it says counts only if that is committed. */
  readonly remember: (xid: string, pristine: string, tables: readonly CarriedTable[]) => Promise<T>
}

/** What would be carried; nothing of it stays. */
export async function tryCarry(input: CarryInput): Promise<readonly CarriedTable[]> {
  return await inBoth(input, async (live, there) => {
    await there.query('begin read write')
    try {
      return await carryAll(live, there, input)
    } finally {
      await there.query('rollback').catch(() => {})
    }
  })
}

/** Carries, or finds that it was done. What an earlier carry had put there is replaced. */
export async function carryRows<T>(input: CarryInput, record: CarryRecord<T>): Promise<T> {
  return await inBoth(input, async (live, there) => {
    return await there.transaction(async () => {
      // A ghost of this very step holds it until its transaction ends.
      await there.query('select pg_advisory_xact_lock(7308619021)')
      const done = await record.done()
      if (done !== undefined) return done
      const [now] = await there.query<{ xid: string; snapshot: string }>(
        'select pg_current_xact_id()::text as xid, pg_current_snapshot()::text as snapshot',
      )
      const earlier = await record.pristine()
      const tables = await carryAll(live, there, input, earlier)
      return await record.remember(now!.xid, earlier ?? now!.snapshot, tables)
    }, 'begin read write')
  })
}

/** Tables with rows of their own, and by what these are known. */
export async function carryableTables(address: DatabaseAddress) {
  const session = await Session.connect(address)
  try {
    const found = await readRelations(session)
    return found
      .filter((it) => !it.partitioned)
      .map((it) => ({ table: labelOf(it), root: labelOf(it.root), key: it.keys.length > 0 }))
  } finally {
    await session.end()
  }
}

async function inBoth<T>(input: CarryInput, work: (live: Session, there: Session) => Promise<T>): Promise<T> {
  const live = await Session.connect(input.live)
  try {
    const there = await Session.connect(input.into)
    try {
      for (const session of [live, there]) await session.query(ownSettings)
      return await live.transaction(() => work(live, there), 'begin isolation level repeatable read read only')
    } finally {
      await there.end()
    }
  } finally {
    await live.end()
  }
}

// The databases' own settings are for the application; a policy that would hide rows is an error, and hides none.
const ownSettings = `set row_security to off; set statement_timeout to 0; set idle_in_transaction_session_timeout to 0;
set lock_timeout to '10s'; set jit to off`

async function carryAll(
  live: Session,
  there: Session,
  input: CarryInput,
  pristine?: string,
): Promise<readonly CarriedTable[]> {
  const since = await sinceWhen(live, input)
  const [tables, homes] = [await readRelations(live), await readRelations(there)]
  const chosen = tables.filter((it) => !it.partitioned && input.tables.includes(labelOf(it)))
  const pairs = chosen.flatMap((table): Pair[] => {
    const home = homeOf(table, homes)
    return home ? [{ table, home, key: sharedKey(table, home) }] : []
  })
  const ordered = parentsFirst(pairs)
  const oids = [...new Set(ordered.map(({ home }) => home.oid))]
  await there.query('set constraints all immediate')
  const speak = await silence(there, oids)
  if (pristine !== undefined) await removeWrittenSince(there, ordered, pristine)
  const works = ordered.map((pair, index) => {
    const coming = new Set(ordered.slice(index).map(({ home }) => home.oid))
    return new Work(live, there, pair, since, coming, input.leave)
  })
  for (const work of works) await work.carry()
  while ((await sum(works, (work) => work.again())) > 0);
  for (const work of works) await work.close()
  await speak()
  if (works.some((work) => work.figures.carried > 0)) await advanceSequences(live, there, oids)
  for (const work of works) if (work.figures.carried > 0) await there.query(`analyze ${quoted(work.pair.home)}`)
  const homeless = chosen.filter((it) => !pairs.some(({ table }) => table === it))
  const without: CarriedTable[] = []
  for (const table of homeless) without.push(await leaveAll(live, table, since, input.leave))
  return [...works.map((it) => it.figures), ...without]
    .filter((it) => it.carried + it.conflicting + it.notFitting > 0)
    .toSorted((a, b) => (a.table < b.table ? -1 : 1))
}

/** Undefined where transaction ids cannot tell. */
async function sinceWhen(live: Session, { since }: CarryInput): Promise<Since | undefined> {
  if (!since) return undefined
  const { baseline, remembered } = since
  const sameLineage = remembered.taken || sameServer(baseline.counters, await readCounters(live))
  if (!(await rowsTell(live, baseline, sameLineage))) return undefined
  const { snapshot } = baseline
  return { snapshot, migrations: await committedSince(live, baseline, remembered.migrations) }
}

/** Nobody but an earlier carry wrote to this database since. */
async function removeWrittenSince(there: Session, pairs: readonly Pair[], pristine: string): Promise<void> {
  for (const { home } of pairs.toReversed()) {
    await there.query(`delete from ${quoted(home)} x where ${young} and ${written}`, [pristine])
  }
}

async function sum<T>(items: readonly T[], count: (item: T) => Promise<number>): Promise<number> {
  let total = 0
  for (const item of items) total += await count(item)
  return total
}
