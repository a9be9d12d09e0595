// A server that is restarted ends every session, and with it the work of a job that would have gone well.

import type { JobScript } from './ending.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'

/** Tries of one job; a server that goes away more often than that has another problem. */
const tries = 3
const answersWithinSeconds = 60

/**
 * Does the script again, from its beginning, where the server was restarted while it ran; every other failure stays
 * one. For scripts that may be repeated. `maintenance` is the database in which the server is asked.
 */
export function againAfterRestart(
  access: DatabaseAccess & { readonly maintenance?: string },
  { script: text, ending }: JobScript,
): JobScript {
  const ask = withSql(psql(access, access.maintenance ?? 'postgres'), incarnationSql)
  return {
    ending,
    script: [
      'incarnation() {',
      ask,
      '}',
      'round=1',
      'while :; do',
      '  before=$(incarnation 2> /dev/null) || before=none',
      '  (',
      text.trimEnd(),
      '  )',
      '  status=$?',
      `  [ "$status" != 0 ] && [ "$round" -lt ${tries} ] || exit "$status"`,
      '  round=$((round + 1))',
      '  waited=0',
      '  until after=$(incarnation 2> /dev/null); do',
      `    [ "$waited" -lt ${answersWithinSeconds} ] || exit "$status"`,
      '    waited=$((waited + 1))',
      '    sleep 1',
      '  done',
      '  [ "$after" != "$before" ] || exit "$status"',
      '  echo "stepback: the database server was restarted meanwhile; once more" >&2',
      'done',
      '',
    ].join('\n'),
  }
}

// A server that lost one of its processes starts all others anew and keeps its own time; its checkpointer has a new one.
const incarnationSql = `select pg_postmaster_start_time(),
  (select max(backend_start) from pg_stat_activity where backend_type = 'checkpointer');`
