// What passes by itself, and fails a job that would have gone well: a server that is restarted, which ends every session,
// and another session's lock.

import { command, quote } from '../shell.js'
import type { JobScript } from './ending.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'

/** Tries of one job; a server that goes away more often than that has another problem. */
const tries = 3
const answersWithinSeconds = 60
/** After a crash a server reads its log again, and turns everybody away meanwhile: for minutes, where that is long. */
export const recoversWithinSeconds = 900
const usualPatience = { answersWithinSeconds, recoversWithinSeconds }
/** The exit status of a script that was not given a lock in time, which may be free again by the time that one asks. */
export const lockedExit = 75

/**
 * Does the script again, from its beginning, where the server was restarted while it ran, or, with `locksIn`, where
 * somebody's lock keeps everybody else from a table of that database; every other failure stays one. For scripts that
 * may be repeated, and that wait for a lock no longer than they should. `maintenance` is where the server is asked.
 */
export function againAfterRestart(
  access: DatabaseAccess & { readonly maintenance?: string; readonly locksIn?: string },
  { script: text, ending }: JobScript,
  patience = usualPatience,
): JobScript {
  const ask = withSql(psql(access, access.maintenance ?? 'postgres'), incarnationSql)
  const locks = access.locksIn === undefined ? ':' : withSql(psql(access, access.locksIn), locksSql)
  return {
    ending,
    script: [
      'incarnation() {',
      ask,
      '}',
      'locks() {',
      locks,
      '}',
      `recovers() { ${command(...access.exec, 'sh', '-c', recovering)} < /dev/null; }`,
      'round=1',
      'while :; do',
      '  before=$(incarnation 2> /dev/null) || before=none',
      '  (',
      text.trimEnd(),
      '  )',
      '  status=$?',
      '  [ "$status" != 0 ] || exit 0',
      '  waited=0',
      '  until after=$(incarnation 2> /dev/null); do',
      `    [ "$waited" -lt ${patience.answersWithinSeconds} ] || recovers || exit "$status"`,
      `    [ "$waited" -lt ${patience.recoversWithinSeconds} ] || exit "$status"`,
      '    waited=$((waited + 1))',
      '    sleep 1',
      '  done',
      '  if [ "$after" != "$before" ]; then why="the database server was restarted meanwhile"',
      '  else',
      '    why=$(locks 2> /dev/null) || why=',
      `    [ -n "$why" ] || [ "$status" != ${lockedExit} ] || why="a table was locked meanwhile"`,
      '  fi',
      '  [ -n "$why" ] || exit "$status"',
      '  echo "stepback: $why" >&2',
      `  [ "$round" -lt ${tries} ] || exit "$status"`,
      '  round=$((round + 1))',
      'done',
      '',
    ].join('\n'),
  }
}

/** Waits for a server that was just started; `asked` is a call of pg_isready, which says whether it recovers. */
export function untilAccepting(asked: string, service: string, patience = usualPatience): string {
  const late = quote(`stepback: the database of service ${service} accepts no connections`)
  return [
    `waited=0; until ${asked} </dev/null; do ready=$?`,
    `most=${patience.answersWithinSeconds}; [ "$ready" != 1 ] || most=${patience.recoversWithinSeconds}`,
    `[ "$waited" -lt "$most" ] || { echo ${late} >&2; exit 1; }`,
    'waited=$((waited + 1)); sleep 1; done',
  ].join('; ')
}

const recovering = 'pg_isready -q; [ "$?" = 1 ]'

// A server that lost one of its processes starts all others anew and keeps its own time; its checkpointer has a new one.
const incarnationSql = `select pg_postmaster_start_time(),
  (select max(backend_start) from pg_stat_activity where backend_type = 'checkpointer');`

// Only what keeps readers out, held or waited for: behind whoever waits for it everybody queues. A prepared transaction
// has no process.
const locksSql = `select coalesce('session ' || l.pid, 'a prepared transaction') || ' locks table '
  || quote_ident(c.relname)
  from pg_locks l join pg_class c on c.oid = l.relation
  where l.database = (select oid from pg_database where datname = current_database()) and l.relation >= 16384
  and l.mode = 'AccessExclusiveLock' and l.pid is distinct from pg_backend_pid() order by l.granted desc limit 1;`
