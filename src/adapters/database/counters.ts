// Cumulative counters of writes: they cost one query at any size, and count what was rolled back as well.

import { countersSql } from '../../commands/database/facts.js'
import type { Counters, TableCounters } from '../../plan/manifest.js'
import type { Session } from './session.js'

export type Writes = Pick<TableCounters, 'inserted' | 'updated' | 'deleted'>

/** What a migration itself wrote, by table, and the transaction that it wrote it in. */
export interface OwnWrites {
  readonly xid: string
  readonly tables: readonly TableCounters[]
}

export async function readCounters(session: Session): Promise<Counters> {
  const [row] = await session.query<{ counters: Counters }>(
    `select ${countersSql} as counters from pg_database d where d.datname = current_database()`,
  )
  return row!.counters
}

/**
 * Whether two readings are of one counting. A crash begins it anew. A restart does not, but a data directory that was
 * put back from a copy looks like one: behind it the server itself has to remember the earlier reading.
 */
export function sameCounting(before: Counters, after: Counters, remembered: boolean): boolean {
  return (
    before.oid === after.oid &&
    before.systemIdentifier === after.systemIdentifier &&
    before.statsReset === after.statsReset &&
    before.statsBegan === after.statsBegan &&
    (remembered || before.postmasterStart === after.postmasterStart)
  )
}

/** Writes to a table between two readings. */
export function writesBetween(oid: number, before: Counters, after: Counters): Writes {
  const [then, now] = [before, after].map((it) => it.tables.find((table) => table.oid === oid))
  return byKind((kind) => Math.max(0, (now?.[kind] ?? 0) - (then?.[kind] ?? 0)))
}

/** What migrations themselves wrote to a table. */
export function ownWritesTo(oid: number, migrations: readonly OwnWrites[]): Writes {
  const own = migrations.flatMap((it) => it.tables).filter((table) => table.oid === oid)
  return byKind((kind) => own.reduce((sum, table) => sum + table[kind], 0))
}

/**
 * The reading as it will be when every session has told what it wrote. One that stays connected tells it late, and
 * rows of it that were seen already would seem to be written later.
 */
export function settled(before: Counters, after: Counters, seen: ReadonlyMap<number, readonly Writes[]>): Counters {
  const tables = after.tables.map((table) => {
    const then = before.tables.find(({ oid }) => oid === table.oid)
    const writes = [...(then ? [then] : []), ...(seen.get(table.oid) ?? [])]
    return {
      ...table,
      ...byKind((kind) =>
        Math.max(
          table[kind],
          writes.reduce((sum, it) => sum + it[kind], 0),
        ),
      ),
    }
  })
  return { ...after, tables }
}

export function byKind(figure: (kind: keyof Writes) => number): Writes {
  return { inserted: figure('inserted'), updated: figure('updated'), deleted: figure('deleted') }
}
