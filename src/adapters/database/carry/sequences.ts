// Sequences of tables that rows were carried into: the next number comes behind all that were given on either side.

import type { Session } from '../session.js'
import { quoted } from './relations.js'

interface Sequence {
  readonly schema: string
  readonly name: string
}

interface Reached {
  readonly value: string
  readonly called: boolean
  readonly up: boolean
}

/** Not undone by a rollback, which does no harm: a number may always be left out. */
export async function advanceSequences(live: Session, there: Session, tables: readonly number[]): Promise<void> {
  for (const sequence of await there.query<Sequence>(sequencesSql, [tables])) {
    const [then, now] = [await reached(there, sequence), await reached(live, sequence)]
    if (!then || !now || !isFurther(now, then)) continue
    await there.query('select setval($1::regclass, $2::bigint, $3)', [quoted(sequence), now.value, now.called])
  }
}

function isFurther(now: Reached, then: Reached): boolean {
  const [a, b] = [BigInt(now.value), BigInt(then.value)]
  if (a === b) return now.called && !then.called
  return then.up ? a > b : a < b
}

async function reached(session: Session, sequence: Sequence): Promise<Reached | undefined> {
  const name = quoted(sequence)
  const [found] = await session.query<{ there: boolean }>(
    `select exists (select from pg_class where oid = to_regclass($1) and relkind = 'S') as there`,
    [name],
  )
  if (!found!.there) return undefined
  const [row] = await session.query<Reached>(
    `select s.last_value::text as value, s.is_called as called, p.seqincrement > 0 as up
     from ${name} s, pg_sequence p where p.seqrelid = to_regclass($1)`,
    [name],
  )
  return row
}

// Of an identity, of a serial column, and of whatever a default asks.
const sequencesSql = `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'S' and (exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
      and d.refclassid = 'pg_class'::regclass and d.refobjid = any($1::oid[]) and d.deptype in ('a', 'i'))
    or exists (select from pg_depend d join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid
      where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and f.adrelid = any($1::oid[])))
  order by 1, 2`
