// Docker's daemon may be restarted while a job talks to it: an upgrade, a crash. Containers live on, and so does the job.

import { script } from './shell.js'

/** Tries of one job; a daemon that goes away more often than that has another problem. */
const tries = 3
const answersWithinSeconds = 60

/**
 * A script of these lines, done again from its beginning where it failed and the daemon did not answer behind that, as
 * soon as it does; every other failure stays one. For commands that may be repeated.
 */
export function againWithEngine(lines: readonly string[], patience = { answersWithinSeconds }): string {
  return [
    'answers() { docker version > /dev/null 2>&1; }',
    'round=1',
    'while :; do',
    '  (',
    script(...lines).trimEnd(),
    '  )',
    '  status=$?',
    '  [ "$status" != 0 ] || exit 0',
    `  [ "$round" -lt ${tries} ] || exit "$status"`,
    '  ! answers || exit "$status"',
    '  waited=0',
    '  until answers; do',
    `    [ "$waited" -lt ${patience.answersWithinSeconds} ] || exit "$status"`,
    '    waited=$((waited + 1))',
    '    sleep 1',
    '  done',
    '  echo "stepback: the Docker daemon was away meanwhile" >&2',
    '  round=$((round + 1))',
    'done',
    '',
  ].join('\n')
}
