// What would act upon rows a second time: triggers and rules of the application are silent while rows are carried, since
// what they did when the rows were written is in the rows, or was done. Foreign keys and checks stay in force.

import pg from 'pg'
import type { Session } from '../session.js'
import { quoted } from './relations.js'

interface Loud {
  readonly schema: string
  readonly name: string
  readonly kind: 'trigger' | 'rule'
  readonly called: string
  readonly state: 'O' | 'A'
}

/** Silences them for the rest of the transaction, or until they are told again; returns what does that. */
export async function silence(session: Session, tables: readonly number[]): Promise<() => Promise<void>> {
  const loud = await session.query<Loud>(loudSql, [tables])
  const alter = async (it: Loud, how: string) =>
    await session.query(`alter table only ${quoted(it)} ${how} ${it.kind} ${pg.escapeIdentifier(it.called)}`)
  for (const it of loud) await alter(it, 'disable')
  return async () => {
    for (const it of loud) await alter(it, it.state === 'A' ? 'enable always' : 'enable')
  }
}

// Of a foreign key and of a unique constraint the triggers are the server's own. A partition has its parent's as its own.
const loudSql = `with concerned as (
    select distinct c.oid, n.nspname as schema, c.relname as name from unnest($1::oid[]) t,
      lateral (select t as relid union select relid from pg_partition_tree(t::regclass)) p
      join pg_class c on c.oid = p.relid join pg_namespace n on n.oid = c.relnamespace)
  select r.schema, r.name, 'trigger' as kind, t.tgname as called, t.tgenabled as state
  from pg_trigger t join concerned r on r.oid = t.tgrelid where t.tgenabled in ('O', 'A')
    and (t.tgconstraint = 0 or exists (select from pg_constraint k where k.oid = t.tgconstraint and k.contype = 't'))
  union all
  select r.schema, r.name, 'rule', w.rulename, w.ev_enabled
  from pg_rewrite w join concerned r on r.oid = w.ev_class where w.ev_type <> '1' and w.ev_enabled in ('O', 'A')
  order by 1, 2, 4`
