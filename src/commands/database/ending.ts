// Ending what a killed job leaves in the server: its client in the container lives on until its session ends.

import { command, script } from '../shell.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'
import { literal } from './sql.js'

/** A job's text, and what ends whatever left its process group. */
export interface JobScript {
  readonly script: string
  readonly ending: string
}

/**
 * Exits 0 when no session of that name is left, else with another status: it is run again and again. Where the container
 * is gone or stopped, its sessions are, too; a Docker that does not answer says nothing about either.
 */
export function endingOf(access: DatabaseAccess, applicationName: string, database = 'postgres'): string {
  const sessions = `from pg_stat_activity where application_name = ${literal(applicationName)} and pid <> pg_backend_pid()`
  return script(
    ...unlessGone(access),
    `left=$(${withSql(psql(access, database), `select count(pg_terminate_backend(pid)) ${sessions};`)}`,
    ')',
    '[ "$left" = 0 ]',
  )
}

function unlessGone({ container }: DatabaseAccess): string[] {
  if (container === undefined) return []
  const running = command('docker', 'ps', '--quiet', '--no-trunc', '--filter', `id=${container}`)
  return [`running=$(${running})`, '[ -n "$running" ] || exit 0']
}
