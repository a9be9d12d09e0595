// The database's part of the script. What only a start of it knows stands in these texts as marks, which it replaces:
// its token, the number of a closing, and 8 hex digits in place of a run's.

import type { ServiceImage } from '../../plan/act.js'
import type { BesideDatabase, DatabaseManifest } from '../../plan/manifest.js'
import { isAccepting, serviceContainers, up } from '../compose.js'
import { untilAccepting } from '../database/restart.js'
import { endingOf } from '../database/ending.js'
import { exchange, learnExchange, openExchange, raiseFence } from '../database/exchange.js'
import { createJournal, timerScript } from '../database/journal.js'
import { beforeName, newName, sessionName, sessionPrefix, warmName } from '../database/names.js'
import { psql, withSql, type DatabaseAccess } from '../database/programs.js'
import { againAfterRestart } from '../database/restart.js'
import { dropDatabase, restoreInto } from '../database/restore.js'
import { literal } from '../database/sql.js'
import { restore } from '../images.js'
import type { RestoreScript } from '../restore-script.js'
import { command, quote, script } from '../shell.js'

const tokenMark = 900_000_000_000_001
const closingMark = 900_000_000_000_002
const runMark = '5b8e02fa'

interface Parts {
  readonly input: RestoreScript
  readonly database: NonNullable<RestoreScript['database']>
  readonly access: DatabaseAccess
  readonly applicationName: string
}

/** For the driver: the marks, and the ends of names that hold one. */
export function databaseMarks({ database }: RestoreScript): Record<string, string> {
  const tail = (name: string) => name.slice(name.lastIndexOf('__'))
  const of = { database: database?.name ?? '', run8: runMark }
  return {
    TOKEN_MARK: String(tokenMark),
    CLOSING_MARK: String(closingMark),
    RUN_MARK: runMark,
    NEW_MARK: tail(newName(of)),
    WARM_MARK: tail(warmName(of)),
    BEFORE_MARK: tail(beforeName(of)),
    BEFORE_JSON: JSON.stringify(beforeName(of)),
  }
}

export function databaseTexts(input: RestoreScript): Record<string, string> {
  const { manifest, database } = input
  if (!database) return {}
  const applicationName = sessionName({ target: manifest.target, token: tokenMark, what: 'script' })
  const parts = { input, database, applicationName, access: { exec: ['in_db'], psqlUser: database.psqlUser } }
  const texts = { ...always(parts), ...bringing(parts), ...exchanging(parts) }
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [`db_${name}`, reaching(parts) + text]))
}

/** By label, at each call: a container that was made anew meanwhile is found as well. */
function reaching({ input, database, applicationName }: Parts): string {
  const found = `$(${serviceContainers(input.stack.project, database.service, 'running')} | head -n 1)`
  const exec = command('docker', 'exec', '-i', '-u', 'postgres', '-e', `PGAPPNAME=${applicationName}`)
  return `in_db() { ${exec} "${found}" "$@"; }\n`
}

function always(parts: Parts): Record<string, string> {
  const { input, access, applicationName } = parts
  const { target } = input.manifest
  return {
    server: serverText(parts),
    journal: createJournal(access),
    fence: raiseFence({ ...access, target, token: tokenMark }, sessionPrefix({ target })),
    ending: endingOf(access, applicationName),
    recreate: recreateText(parts),
    live: liveText(parts),
    newest: newestText(parts),
    drop: dropText(parts),
  }
}

/** Starts its container where it does not run; another major version of the server would not read the dump alike. */
function serverText({ input, database, access }: Parts): string {
  const containers = (status?: 'running') => serviceContainers(input.stack.project, database.service, status)
  const version = input.manifest.database?.serverVersion
  const major = version === undefined ? '' : String(Math.floor(version / 10_000))
  const asked = withSql(psql(access, 'postgres'), `select current_setting('server_version_num')::int / 10000;`)
  return script(
    `if [ -z "$(${containers('running')})" ]; then`,
    `  id=$(${containers()} | head -n 1)`,
    `  [ -n "$id" ] || { echo ${quote(`stepback: service ${database.service} has no container; bring it up with docker compose`)} >&2; exit 1; }`,
    '  docker start "$id" >/dev/null',
    'fi',
    untilAccepting('in_db pg_isready -q', database.service),
    `wanted=${quote(major)}`,
    `major=$(${asked}`,
    ')',
    '[ -z "$wanted" ] || [ "$major" = "$wanted" ] || { echo "stepback: the server is PostgreSQL $major, and the dump is of $wanted" >&2; exit 1; }',
  )
}

function liveText({ database, access }: Parts): string {
  return script(
    withSql(psql(access, 'postgres'), `select oid from pg_database where datname = ${literal(database.name)};`),
  )
}

/** The newest migration; fails where nothing records any. */
function newestText({ database, access }: Parts): string {
  return script(withSql(psql(access, database.name), 'select name from migrations order by id desc limit 1;'))
}

/** As the restored files say; Compose leaves a container alone that is so already. */
function recreateText({ input, database }: Parts): string {
  const images: readonly ServiceImage[] = input.manifest.images.filter((it) => it.service === database.service)
  const level = { services: [database.service], wait: false }
  return script(
    ...restore(images),
    ...up(input.stack, [level]),
    untilAccepting(isAccepting(input.stack, database.service), database.service),
  )
}

/** What a fenced run left half-made; a copy that a manifest names is whole, and stays. */
function dropText({ input, database, access, applicationName }: Parts): string {
  const of = { database: database.name, run8: runMark }
  const drop = (name: string) => dropDatabase({ ...access, databases: [name], applicationName }).script
  const named = `grep -qF ${quote(JSON.stringify(warmName(of)))} ${quote(input.backups)}/manifest_*.json 2>/dev/null`
  return `${drop(newName(of))}if ! ${named}; then\n${drop(warmName(of))}fi\n`
}

/** What stands beside the live database, or is built there, before anything else is touched. */
function bringing(parts: Parts): Record<string, string> {
  const { manifest } = parts.input
  if (manifest.kept) return { oids: oidsText(parts, manifest.kept) }
  const { database } = manifest
  if (database?.file === undefined) return headText(parts)
  return { build: buildText(parts, { ...database, file: database.file }), counts: countsText(parts, database) }
}

function buildText(parts: Parts, { file, ...database }: DatabaseManifest & { readonly file: string }): string {
  const { access, applicationName, input } = parts
  const made = restoreInto({
    ...access,
    newDatabase: newName({ database: parts.database.name, run8: runMark }),
    dumpFile: `${input.backups}/${file}`,
    format: database.format,
    properties: database.properties,
    expected: database,
    applicationName,
  })
  return againAfterRestart(access, made).script
}

/** The live database's and the kept one's. */
function oidsText({ database, access }: Parts, kept: BesideDatabase): string {
  const oid = (name: string) => `coalesce((select oid from pg_database where datname = ${literal(name)})::text, 'none')`
  return script(withSql(psql(access, 'postgres'), `select ${oid(database.name)} || ' ' || ${oid(kept.name)};`))
}

/** Nothing brings that database back but its migrations' downs, and those need the worker. */
function headText(parts: Parts): Record<string, string> {
  const { migrationHead } = parts.input.manifest
  if (migrationHead === undefined) return {}
  return { head: `wanted=${quote(migrationHead)}\nnewest() {\n${newestText(parts)}}\n[ "$(newest)" = "$wanted" ]\n` }
}

/** A line for each table that has another number of rows than it had then. */
function countsText({ database, access }: Parts, { tables }: DatabaseManifest): string {
  const rows = tables.filter((it) => it.schema !== 'pg_catalog')
  if (rows.length === 0) return script(':')
  const then = rows.map((it) => `(${literal(it.schema)}, ${literal(it.name)}, ${it.rows})`).join(', ')
  const sql = `select format($q$select %L || ': ' || %s || ' rows then, ' || n || ' now' from (select count(*) as n from only %I.%I) t
  where n <> %s$q$, t.name, t.rows, t.schema, t.name, t.rows) from (values ${then}) t (schema, name, rows)
where to_regclass(format('%I.%I', t.schema, t.name)) is not null
\\gexec`
  return script(withSql(psql(access, database.name), sql))
}

function exchanging({ input, database, access }: Parts): Record<string, string> {
  const { manifest } = input
  if (!manifest.kept && manifest.database?.file === undefined) return {}
  const { target, id: source } = manifest
  const incoming = manifest.kept?.name ?? newName({ database: database.name, run8: runMark })
  const mine = { ...access, target, token: tokenMark, run8: runMark }
  const swap = { ...mine, database: database.name, incoming, source }
  return {
    open: openExchange(swap),
    learn: learnExchange(mine),
    timer: timerScript({ ...mine, closing: closingMark }),
    exchange: exchange({ ...swap, closing: closingMark }),
  }
}
