// The journal of database work: a database of its own on the same server, which no restore rolls back.

import { createHash } from 'node:crypto'
import { script } from '../shell.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'
import { literal } from './sql.js'

export const journalDatabase = 'stepback'

/** Makes the journal where it is missing. CREATE DATABASE is in no transaction, so this is a job; running it twice is well. */
export function createJournal(access: DatabaseAccess & { readonly maintenance?: string }): string {
  const { maintenance = 'postgres' } = access
  const missing = `select 1 from pg_database where datname = ${literal(journalDatabase)}`
  const create = `select 'create database "${journalDatabase}" template template0' where not exists (${missing})\n\\gexec`
  return script(
    // Another creation at the same moment fails one of the two; what counts is that it is there.
    withSql(`if ! ${psql(access, maintenance)} 2> /dev/null`, create),
    'then sleep 1; fi',
    withSql(psql(access, journalDatabase), tablesSql),
  )
}

/**
 * Opens a database that is still closed by number `closing`, once `afterSeconds` are over. It asks again until that
 * closing is over: swapped, opened, closed anew by another number, or impossible, since a later token is in force.
 * Arm it before the close commits; it belongs to no token, and a sweep must leave it alone.
 */
export function timerScript(
  access: DatabaseAccess & {
    readonly target: string
    readonly token: number
    readonly closing: number
    readonly afterSeconds?: number
    readonly everySeconds?: number
  },
): string {
  const { afterSeconds = 60, everySeconds = 5 } = access
  return script(
    `sleep ${seconds(afterSeconds)}`,
    // A server that does not answer is no reason to give up: it may come back with the database closed.
    `ask() {`,
    withSql(psql(access, journalDatabase), timerSql(access)),
    '}',
    // A state directory that is gone takes its timers along; nothing else would ever end this one.
    'while case $0 in /*) [ -e "$0" ] ;; esac; do',
    '  state=$(ask 2> /dev/null) || state=unknown',
    '  case "$state" in *over) exit 0 ;; esac',
    `  sleep ${seconds(everySeconds)}`,
    'done',
  )
}

// One transaction, its first statement the conditional update: what is closed by another number is left alone. Where it
// opens nothing it locks nothing, and the last statement may see what was committed since: closed by this number, it is
// never over, though a later token is in force, for its taker may die before it opens.
function timerSql(input: { target: string; token: number; closing: number }): string {
  const target = literal(input.target)
  const closing = seconds(input.closing)
  return `begin;
update stepback.door set state = 'open', opened_by = 'timer', opened_at = now()
where target = ${target} and state = 'closed' and closing = ${closing};
select format('alter database %I allow_connections true', d.datname)
from stepback.door o join pg_database d on d.oid = o.closed_oid
where o.target = ${target} and o.state = 'open' and o.closing = ${closing} and o.opened_by = 'timer' and o.opened_at = now()
\\gexec
select case when closing = ${closing} and state = 'closed' then 'waiting'
  when closing >= ${closing} or token > ${seconds(input.token)} then 'over' else 'waiting' end from stepback.door where target = ${target};
commit;`
}

const tables = `set client_min_messages to warning;
revoke all on database "${journalDatabase}" from public;
begin;
select pg_advisory_xact_lock(7308619020) \\g /dev/null
create schema if not exists stepback;
create table if not exists stepback.door (
  target text primary key,
  token bigint not null,
  state text not null default 'open' check (state in ('open', 'closed')),
  closing bigint not null default 0,
  closed_oid oid,
  closed_at timestamptz,
  opened_by text,
  opened_at timestamptz
);
create table if not exists stepback.operation (
  target text not null,
  id text not null,
  state text not null default 'planned' check (state in ('planned', 'swapped', 'reverted')),
  sealed boolean not null default false,
  live_name text not null,
  new_name text not null,
  before_name text not null,
  live_oid oid not null,
  new_oid oid not null,
  opened_at timestamptz not null default now(),
  swapped_at timestamptz,
  reverted_at timestamptz,
  primary key (target, id)
);
alter table stepback.operation add column if not exists source text, add column if not exists snapshot text;
create table if not exists stepback.taken (
  target text not null,
  id text not null,
  at timestamptz not null default now(),
  primary key (target, id)
);
create table if not exists stepback.carried (
  target text not null,
  id text not null,
  database oid not null,
  xid text not null,
  pristine text not null,
  result jsonb not null,
  at timestamptz not null default now(),
  primary key (target, id, xid)
);
create table if not exists stepback.migration (
  target text not null,
  database oid not null,
  xid text not null,
  tables jsonb not null,
  at timestamptz not null default now(),
  primary key (target, database, xid)
);`

/** Is the comment of the journal's schema once all of it is there, as this version makes it. */
export const journalMark = createHash('sha256').update(tables).digest('hex').slice(0, 16)

const tablesSql = `${tables}\ncomment on schema stepback is ${literal(journalMark)};\ncommit;`

function seconds(value: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value)
  throw new TypeError(`${value} is not a whole number`)
}
