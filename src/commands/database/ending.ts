// Ending what a killed job leaves in the server: its client in the container lives on until its session ends.

import { script } from '../shell.js'
import { psql, withSql, type DatabaseAccess } from './programs.js'
import { literal } from './sql.js'

/** A job's text, and what ends whatever left its process group. */
export interface JobScript {
  readonly script: string
  readonly ending: string
}

/** Exits 0 when no session of that name is left, else 1: it is run again and again. */
export function endingOf(access: DatabaseAccess, applicationName: string, database = 'postgres'): string {
  const sessions = `from pg_stat_activity where application_name = ${literal(applicationName)} and pid <> pg_backend_pid()`
  return script(
    `left=$(${withSql(psql(access, database), `select count(pg_terminate_backend(pid)) ${sessions};`)}`,
    ')',
    '[ "$left" = 0 ]',
  )
}
