// Taking a dump: one session holds a snapshot, the dump is made at it, and the same session counts and hashes in it.

import { command, quote, script } from '../shell.js'
import { StepbackError } from '../../plan/failure.js'
import type { DumpFormat } from '../../plan/manifest.js'
import { fileFacts } from '../file-facts.js'
import { endingOf, type JobScript } from './ending.js'
import { lockedExit } from './restart.js'
import { comparableFactsSql, databaseFactsSql, earlyFactsSql } from './facts.js'
import { pgDump, psql, withSql, type DatabaseAccess } from './programs.js'
import { keepRoom } from './room.js'
import { pinnedSettings } from './sql.js'

/**
 * Writes `outFile` and `factsFile` on the host, both by rename and only when all of it went well, and prints
 * `sha256 <hex>` and `bytes <n>` of the dump. A holder that died makes the whole worthless: exit is not 0.
 */
export function takeDump(
  input: DatabaseAccess & {
    readonly database: string
    readonly outFile: string
    readonly factsFile: string
    readonly format: DumpFormat
    readonly applicationName: string
    /** What stays free on the disk that it is written to. */
    readonly reserveBytes?: number
  },
): JobScript {
  const { outFile, factsFile, database } = input
  return {
    script: script(
      'umask 077',
      // Known by the file's name, so that a retry removes what a killed attempt left.
      `out=${quote(outFile)}`,
      `facts=${quote(factsFile)}`,
      'work="$out.work"',
      'rm -rf "$work" "$out.part"',
      'mkdir "$work"',
      ...keepRoom({
        df: command('df', '-Pk', outFile.replace(/\/[^/]*$/, '')),
        within: [],
        reserveBytes: input.reserveBytes ?? 0,
        ending: endingOf(input, input.applicationName),
        clear: 'rm -rf "$work" "$out.part"',
      }),
      // A holder that died must be an error of ours, not our death.
      `trap '' PIPE`,
      'mkfifo "$work/sql"',
      // Read before the session has begun to write it.
      ': > "$work/facts"',
      `${psql(input, database)} < "$work/sql" > "$work/facts" 2> "$work/errors" &`,
      'holder=$!',
      'exec 3> "$work/sql"',
      `fails() { sed '/^LOCATION: /d' "$work/errors" "$work/said" >&2; ${tellLock}; exit 1; }`,
      `died() { echo "the session that holds the snapshot ended: $1" >&2; fails; }`,
      ': > "$work/said"',
      withSql('cat >&3', openSql),
      'until grep -q "^snapshot " "$work/facts"; do',
      '  kill -0 "$holder" 2> /dev/null || died "before the dump"',
      '  sleep 0.1 2> /dev/null || sleep 1',
      'done',
      `snapshot=$(sed -n 's/^snapshot //p' "$work/facts")`,
      ...dumpLines(input),
      'dump=$!',
      withSql('cat >&3', `${comparableFactsSql}\n${databaseFactsSql}`, ' || died "while it counted"'),
      'wait "$dump" || fails',
      'cat "$work/said" >&2',
      withSql('cat >&3', `commit;\nselect 'end';`, ' || died "during the dump"'),
      'exec 3>&-',
      'wait "$holder" || died "with an error"',
      '[ "$(tail -n 1 "$work/facts")" = end ] || died "without an end"',
      // Of this file alone where sync can: a busy host takes long to write down everything.
      'sync "$out.part" "$work/facts" 2> /dev/null || sync',
      'mv -f "$out.part" "$out"',
      'mv -f "$work/facts" "$facts"',
      fileFacts,
      `printf 'sha256 %s\\n' "$(sha256 "$out")"`,
      `printf 'bytes %s\\n' "$(wc -c < "$out" | tr -d ' ')"`,
      'sync "$(dirname "$out")" 2> /dev/null || sync',
    ),
    ending: endingOf(input, input.applicationName),
  }
}

/** What it printed of the dump. */
export function parseTaken(stdout: string): { readonly sha256: string; readonly bytes: number } {
  const [, sha256, bytes] = /^sha256 ([0-9a-f]{64})\nbytes (\d+)$/m.exec(stdout) ?? []
  if (sha256 === undefined)
    throw new StepbackError({ type: 'StepFailed', message: 'a dump was taken that is not told' })
  return { sha256, bytes: Number(bytes) }
}

/** By what no language translates: the code that the session says, and the statement that pg_dump repeats. */
const tellLock = `if grep -Eq '55P03|LOCK TABLE' "$work/errors" "$work/said"; then exit ${lockedExit}; fi`

// The holder waits for locks no longer than the dump does.
const openSql = `\\set VERBOSITY verbose
${pinnedSettings}
set lock_timeout to '5s';
begin isolation level repeatable read read only;
${earlyFactsSql}
select 'snapshot ' || pg_export_snapshot();`

// gzip at its default costs 13 times what zstd does, for the same size; only 16 and later know zstd.
function dumpLines(input: Parameters<typeof takeDump>[0]): string[] {
  const dump = (...flags: string[]) => pgDump(input, input.database, [...flags, '--lock-wait-timeout=5s'])
  const run = (line: string) => `${line} --snapshot="$snapshot" < /dev/null > "$out.part" 2> "$work/said" 3>&- &`
  if (input.format === 'sql') return [run(dump('-Fp'))]
  return [
    `major=$(${pgDumpVersion(input)} < /dev/null | sed 's/^[^0-9]*\\([0-9]*\\).*/\\1/')`,
    'if [ "$major" -ge 16 ]; then',
    `  ${run(dump('-Fc', '-Z', 'zstd:1'))}`,
    'else',
    `  ${run(dump('-Fc', '-Z', '1'))}`,
    'fi',
  ]
}

function pgDumpVersion(access: DatabaseAccess): string {
  return command(...access.exec, 'pg_dump', '--version')
}
