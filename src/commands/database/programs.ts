// How a script speaks to PostgreSQL: always the container's own programs, never with a password in sight.

import { command } from '../shell.js'

/** Where the programs are reached: `docker exec -i …` with the session's name, and the role to be. */
export interface DatabaseAccess {
  readonly exec: readonly string[]
  readonly psqlUser: string
  /** By its id, where they are the programs of this one container: what runs there ends with it. */
  readonly container?: string
}

/** A command line that reads SQL from its stdin, stops at the first error, and prints bare rows. */
export function psql(access: DatabaseAccess, database: string): string {
  const flags = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1']
  return command(...access.exec, 'psql', ...flags, '-U', access.psqlUser, '-d', connectionName(database))
}

export function pgDump(access: DatabaseAccess, database: string, flags: readonly string[]): string {
  return command(...access.exec, 'pg_dump', '-w', '-U', access.psqlUser, ...flags, '-d', connectionName(database))
}

export function pgRestore(access: DatabaseAccess, database: string): string {
  const flags = ['-w', '--exit-on-error', '-U', access.psqlUser, '-d', connectionName(database)]
  return command(...access.exec, 'pg_restore', ...flags)
}

const used = ['psql', 'pg_dump', 'pg_restore']

/** A line for each program that is not there; all of them where nobody can be asked. */
export function missingDatabasePrograms({ exec }: DatabaseAccess): string {
  const inner = `for p in ${used.join(' ')}; do command -v "$p" >/dev/null 2>&1 || echo "$p"; done`
  const all = command('printf', '%s\\n', ...used)
  return `${command(...exec, 'sh', '-c', inner)} </dev/null 2>/dev/null || ${all}\n`
}

/** A command with SQL as its stdin. The text may hold everything but a line that is just the mark. */
export function withSql(line: string, sql: string, otherwise = ''): string {
  if (sql.split('\n').includes('STEPBACK_SQL')) throw new TypeError('the SQL holds the mark of its own end')
  return `${line} <<'STEPBACK_SQL'${otherwise}\n${sql}\nSTEPBACK_SQL`
}

// Programs read a name with '=' or '://' in it as a whole connection string.
function connectionName(database: string): string {
  if (!/[=]|:\/\//.test(database)) return database
  return `dbname='${database.replace(/[\\']/g, '\\$&')}'`
}
