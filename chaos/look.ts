// Looks at the sandbox as a stranger would: by reading files, by Docker, by PostgreSQL, and by asking its services.

import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Sandbox, Session } from '../sandbox/index.js'
import { attempt, run } from '../sandbox/run.js'
import { projectFilter } from '../sandbox/stack.js'
import type { Seen } from './seen.js'

export interface Looked {
  readonly sandbox: Sandbox
  readonly session: Session
}

/** What runs and notes write, which nobody puts back. */
const written = ['backups', 'aria_memories', 'deploy.log', 'soul']

/** Everything at once; what cannot be read is said in its place. */
export async function look(at: Looked): Promise<Seen> {
  const { directory } = at.sandbox
  const [containers, database, version, failing] = await Promise.all([
    lookAtContainers(at),
    lookAtDatabase(at),
    versionOf(at.sandbox),
    failingChecks(at),
  ])
  const files = filesBelow(directory, written)
  return { files, soul: filesBelow(join(directory, 'soul'), []), ...containers, ...database, version, failing }
}

/** How the services are, and nothing else: cheap enough to be asked again and again. */
export async function condition(at: Looked): Promise<Pick<Seen, 'services' | 'failing'>> {
  const [{ services }, failing] = await Promise.all([lookAtContainers(at), failingChecks(at)])
  return { services, failing }
}

function filesBelow(directory: string, without: readonly string[], below = ''): Record<string, string> {
  const entries = readdirSync(join(directory, below)).toSorted()
  const found = entries.flatMap((name) => {
    const path = join(below, name)
    if (without.includes(path)) return []
    const stat = lstatSync(join(directory, path))
    if (stat.isDirectory()) return Object.entries(filesBelow(directory, without, path))
    if (stat.isSymbolicLink()) return [[path, `-> ${readlinkSync(join(directory, path))}`] as const]
    return [[path, fileText(join(directory, path), stat.mode)] as const]
  })
  return Object.fromEntries(found)
}

/** A file as it is compared: its checksum and its mode. */
export function fileText(path: string, mode = lstatSync(path).mode): string {
  return `${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)} ${(mode & 0o777).toString(8)}`
}

interface Container {
  readonly Image: string
  readonly State: { readonly Status: string; readonly Health?: { readonly Status: string } }
  readonly Config: { readonly Image: string; readonly Labels: Readonly<Record<string, string>> }
}

/** Of every service of the stack, by its container; two of one service are told as such. */
async function lookAtContainers({ session }: Looked): Promise<Pick<Seen, 'images' | 'references' | 'services'>> {
  const { env, paths } = session
  const ids = (await attempt(['docker', 'ps', '--all', '--quiet', '--filter', projectFilter(paths)], { env })).stdout
  const words = ids.split('\n').filter((id) => id !== '')
  const text = words.length === 0 ? '[]' : (await attempt(['docker', 'inspect', ...words], { env })).stdout
  const containers = (text.trim() === '' ? [] : JSON.parse(text)) as readonly Container[]
  const service = (it: Container) => it.Config.Labels['com.docker.compose.service']!
  const health = ({ State }: Container) => (State.Health ? ` (${State.Health.Status})` : '')
  const services: Record<string, string> = {}
  for (const it of containers) {
    const before = services[service(it)]
    services[service(it)] = `${before === undefined ? '' : `${before} and `}${it.State.Status}${health(it)}`
  }
  const references = await Promise.all(containers.map((it) => imageId(it.Config.Image, env)))
  return {
    services: sorted(services),
    images: sorted(Object.fromEntries(containers.map((it) => [service(it), it.Image]))),
    references: sorted(Object.fromEntries(containers.map((it, index) => [service(it), references[index]!]))),
  }
}

async function imageId(reference: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await attempt(['docker', 'image', 'inspect', '--format', '{{.Id}}', reference], { env })
  return stdout.trim() || 'none'
}

const tables = ['sessions', 'messages', 'agent_state', 'scheduler_jobs', 'scheduler_history', 'pheromone_scores']

type Database = Pick<Seen, 'schema' | 'migrations' | 'tables' | 'oid' | 'rows'>

async function lookAtDatabase(at: Looked): Promise<Database> {
  try {
    return await withClient(at.sandbox.database, async (client) => ({
      schema: await schema(at),
      migrations: (await client.query<{ name: string }>('select name from migrations order by id')).rows.map(
        (row) => row.name,
      ),
      tables: await hashes(client),
      oid: (await client.query<{ oid: string }>('select oid::text from pg_database where datname = current_database()'))
        .rows[0]!.oid,
      rows: (
        await client.query<{ number: string }>(
          `select substr(title, 7) as number from sessions where title ~ '^chaos '`,
        )
      ).rows.map((row) => Number(row.number)),
    }))
  } catch (error) {
    const said = `cannot be read: ${(error as Error).message}`
    return { schema: said, migrations: [], tables: { all: said }, oid: said, rows: [] }
  }
}

async function hashes(client: pg.Client): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const table of tables) found[table] = await hashOf(client, table)
  return found
}

/** A row as the first release knows it: what a later one adds to it is not compared. */
async function hashOf(client: pg.Client, table: string): Promise<string> {
  const row = `(to_jsonb(t) - 'engine_version' - 'agent_id')::text`
  const mine = table === 'sessions' ? `where title is null or title !~ '^chaos '` : ''
  const { rows } = await client.query<{ hash: string }>(
    `select count(*) || ' ' || coalesce(md5(string_agg(${row}, '' order by ${row} collate "C")), '') as hash from ${table} t ${mine}`,
  )
  return rows[0]!.hash
}

/** By `pg_dump` of the server itself; what it writes anew each time is left out. */
async function schema({ session: { env, paths } }: Looked): Promise<string> {
  const filters = [projectFilter(paths), 'label=com.docker.compose.service=aria-db'].flatMap((it) => ['--filter', it])
  const container = (await run(['docker', 'ps', '--quiet', ...filters], { env })).stdout.trim()
  const dump = ['pg_dump', '--schema-only', '--username', 'aria', 'aria_blue']
  const { stdout } = await run(['docker', 'exec', container, ...dump], { env })
  const lines = stdout.split('\n').filter((line) => !line.startsWith('\\') && !line.startsWith('--'))
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}

export async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, query_timeout: 60_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Databases of the server, but those that every server has. */
export async function databases({ sandbox }: Looked): Promise<string[]> {
  return await withClient(sandbox.database.replace(/[^/]*$/, 'postgres'), async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      `select datname from pg_database where not datistemplate and datname <> 'postgres' order by 1`,
    )
    return rows.map((row) => row.datname)
  })
}

/** How many sessions were ever in it, and since when the server counts them, as a manifest says it. */
export async function visitsOf({ sandbox }: Looked, database: string): Promise<string | undefined> {
  return await withClient(sandbox.database.replace(/[^/]*$/, 'postgres'), async (client) => {
    await client.query(`set timezone to 'UTC'`)
    const { rows } = await client.query<{ visits: string }>(
      `select sessions || ' since ' || coalesce(stats_reset::text, 'ever') as visits from pg_stat_database where datname = $1`,
      [database],
    )
    return rows[0]?.visits
  })
}

async function versionOf({ api }: Sandbox): Promise<string> {
  const text = await ask(`${api}/api/status`)
  return text === undefined ? 'nothing' : String((JSON.parse(text) as { readonly version?: string }).version)
}

async function failingChecks({ sandbox, session }: Looked): Promise<string[]> {
  const { ports } = session.state
  const urls = [
    `${sandbox.api}/health`,
    `${sandbox.api}/api/health`,
    `http://127.0.0.1:${ports.brain}/metrics`,
    `http://127.0.0.1:${ports.grafana}/`,
  ]
  const answers = await Promise.all(urls.map(ask))
  return urls.filter((_, index) => answers[index] === undefined)
}

async function ask(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    return answer.ok ? await answer.text() : undefined
  } catch {
    return undefined
  }
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
