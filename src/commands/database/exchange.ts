// Exchanging databases with psql alone, for the script beside a restore point: the rules, and their order, are those of
// the worker's journal. Each act is one block, so one transaction, whose first statement is the conditional update.

import { script } from '../shell.js'
import { beforeName } from './names.js'
import { journalDatabase } from './journal.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'
import { literal } from './sql.js'

export interface Exchange extends DatabaseAccess {
  readonly target: string
  readonly token: number
  /** 8 hex digits, as of a run: the operation's id in the journal. */
  readonly run8: string
  /** The live database's name. */
  readonly database: string
  /** What takes its place. */
  readonly incoming: string
  /** The restore point that it is made from. */
  readonly source: string
}

/** First act of a token: no session of an older one is left, and what one closed is open. */
export function raiseFence(input: Pick<Exchange, 'exec' | 'psqlUser' | 'target' | 'token'>, prefix: string): string {
  const target = literal(input.target)
  const raise = `insert into stepback.door as d (target, token) values (${target}, ${input.token})
    on conflict (target) do update set token = excluded.token where d.token <= excluded.token;
  if not found then raise exception 'a later token is in force'; end if;`
  const mend = `update stepback.door set state = 'open', closing = closing + 1, opened_by = 'mend', opened_at = now()
    where target = ${target} and token = ${input.token} and state = 'closed';
  if found then ${open(target)} end if;`
  // Behind the prefix comes the token: the prefix holds the target, whatever is in it.
  const older = `starts_with(application_name, ${literal(prefix)})
    and substr(application_name, length(${literal(prefix)}) + 1) ~ '^[0-9]{1,15}:'
    and split_part(substr(application_name, length(${literal(prefix)}) + 1), ':', 1)::bigint < ${input.token}`
  return script(inJournal(input, [block(raise), endSessions(older), block(mend)]))
}

/** The operation, with the oids behind its names at this moment; made anew where what was built was built anew. */
export function openExchange(input: Exchange): string {
  const { target, token, run8, database, incoming } = input
  const kept = beforeName({ database, run8 })
  const names = [target, run8, database, incoming, kept, input.source].map(literal).join(', ')
  const insert = `${held(target, token)}
  insert into stepback.operation (target, id, live_name, new_name, before_name, source, live_oid, new_oid)
    select ${names}, l.oid, n.oid from pg_database l, pg_database n
    where l.datname = ${literal(database)} and n.datname = ${literal(incoming)}
    on conflict (target, id) do update set new_oid = excluded.new_oid
      where operation.state = 'planned' and operation.live_oid = excluded.live_oid;
  if not found then raise exception 'the databases are not there, or are others by now'; end if;`
  return script(inJournal(input, [block(insert)]))
}

/** Prints `open` or `closed`, the number of the last closing, and how the operation stands, with `|` in between. */
export function learnExchange(input: Pick<Exchange, 'exec' | 'psqlUser' | 'target' | 'run8'>): string {
  const ask = `select d.state, d.closing, coalesce(o.state, 'none') from stepback.door d
left join stepback.operation o on o.target = d.target and o.id = ${literal(input.run8)} where d.target = ${literal(input.target)};`
  return script(inJournal(input, [ask]))
}

/** Exits with this where it may go well by another closing; the database is open then. */
export const again = 75

/** Closes, ends who is connected, counts, and renames in one transaction; whatever fails on the way opens it again. */
export function exchange(input: Exchange & { readonly closing: number }): string {
  return script(
    'exchanged() {',
    inJournal(
      input,
      [close(input), endSessions(`datid = (${liveOid(input)}) and ${notVacuum}`), count(input)].concat(
        endSessions(`datid = (${liveOid(input)}) and ${notVacuum}`),
        rename(input),
      ),
    ),
    '}',
    'opened() {',
    inJournal(input, [reopen(input)]),
    '}',
    `if ! exchanged; then opened || true; exit ${again}; fi`,
  )
}

// Autovacuum gives way by itself.
const notVacuum = `backend_type not like 'autovacuum%'`

function close(input: Exchange & { readonly closing: number }): string {
  const target = literal(input.target)
  const { closing, token } = input
  return block(`update stepback.door set state = 'closed', closing = ${closing}, closed_at = now(), closed_oid = null
    where target = ${target} and token = ${token} and closing = ${closing} - 1 and (state = 'open' or closed_oid in (
      select unnest(array[o.live_oid, o.new_oid]) from stepback.operation o
      where o.target = ${target} and o.id = ${literal(input.run8)}));
  if not found then raise exception 'another has closed since, or a later token is in force'; end if;
  ${planned(input)}
  if (select oid from pg_database where datname = it.live_name) is distinct from it.live_oid then
    raise exception 'the live database is another one by now'; end if;
  update stepback.door set closed_oid = it.live_oid where target = ${target};
  execute format('alter database %I allow_connections false', it.live_name);`)
}

function count(input: Exchange): string {
  return block(`perform pg_stat_clear_snapshot();
  perform set_config('stepback.written', (${written(liveOid(input))}), false);`)
}

// The count is compared behind the renames: they refuse while anyone is connected, one inside its start too.
function rename(input: Exchange & { readonly closing: number }): string {
  const target = literal(input.target)
  return block(`update stepback.door set state = 'open', opened_by = 'swap', opened_at = now()
    where target = ${target} and token = ${input.token} and state = 'closed' and closing = ${input.closing};
  if not found then raise exception 'the closing is over'; end if;
  ${planned(input)}
  if (select oid from pg_database where datname = it.live_name) is distinct from it.live_oid
    or (select oid from pg_database where datname = it.new_name) is distinct from it.new_oid then
    raise exception 'a database is another one by now'; end if;
  update stepback.operation set state = 'swapped', swapped_at = now(), snapshot = pg_current_snapshot()::text
    where target = it.target and id = it.id;
  execute format('alter database %I rename to %I', it.live_name, it.before_name);
  execute format('alter database %I rename to %I', it.new_name, it.live_name);
  perform pg_stat_clear_snapshot();
  if (${written('it.live_oid')}) is distinct from current_setting('stepback.written') then
    raise exception 'somebody wrote meanwhile'; end if;
  execute format('alter database %I allow_connections true', it.live_name);`)
}

function reopen(input: Exchange & { readonly closing: number }): string {
  const target = literal(input.target)
  return block(`update stepback.door set state = 'open', opened_by = 'holder', opened_at = now()
    where target = ${target} and token = ${input.token} and state = 'closed' and closing = ${input.closing};
  if found then ${open(target)} end if;`)
}

function open(target: string): string {
  return `execute coalesce((select format('alter database %I allow_connections true', d.datname)
    from stepback.door o join pg_database d on d.oid = o.closed_oid where o.target = ${target}), 'select 1');`
}

function planned(input: Exchange): string {
  return `select * into it from stepback.operation where target = ${literal(input.target)}
    and id = ${literal(input.run8)} for update;
  if it.state is distinct from 'planned' or it.sealed then raise exception 'the exchange is over'; end if;`
}

function held(target: string, token: number): string {
  return `update stepback.door set token = token where target = ${literal(target)} and token = ${token};
  if not found then raise exception 'a later token is in force'; end if;`
}

function written(oid: string): string {
  return `select (tup_inserted + tup_updated + tup_deleted)::text from pg_stat_database where datid = (${oid})`
}

function liveOid({ target, run8 }: Exchange): string {
  return `select live_oid from stepback.operation where target = ${literal(target)} and id = ${literal(run8)}`
}

function endSessions(which: string): string {
  return block(`for round in 1..3000 loop
    perform pg_stat_clear_snapshot();
    perform pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and ${which};
    if not found then return; end if;
    perform pg_sleep(0.01);
  end loop;
  raise exception 'sessions did not end';`)
}

function block(body: string): string {
  return `do $stepback$ declare it stepback.operation; begin\n  ${body}\nend $stepback$;`
}

function inJournal(access: DatabaseAccess, statements: readonly string[]): string {
  const settings = `set lock_timeout to '3s';\nset synchronous_commit to on;`
  return withSql(psql(access, journalDatabase), [settings, ...statements].join('\n'))
}
