import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SandboxPaths, stackFiles } from './paths.js'
import type { Progress } from './progress.js'
import { firstRelease } from './releases.js'
import { compose } from './stack.js'
import type { SandboxState } from './state.js'

type Environment = NodeJS.ProcessEnv

/** Makes the first release's schema and fills it; in one transaction each, so that it can be begun again. */
export async function fill(paths: SandboxPaths, state: SandboxState, env: Environment): Promise<void> {
  await migrate(state)
  const filled = (await psql(paths, env, 'SELECT EXISTS (SELECT FROM sessions)')).trim() === 't'
  if (!filled) await psql(paths, env, readFileSync(join(stackFiles(), 'sql', 'rows.sql'), 'utf8'))
}

/** Adds messages until the database has at least that many bytes, measured after each batch. */
export async function grow(paths: SandboxPaths, env: Environment, bytes: number, progress: Progress): Promise<void> {
  for (;;) {
    const size = Number(await psql(paths, env, 'SELECT pg_database_size(current_database())'))
    if (size >= bytes) return
    progress(`     ${Math.round(size / 1e6)} of ${Math.round(bytes / 1e6)} MB`)
    // about 900 bytes a message with its index entries; a last batch too small would not end
    const rows = Math.min(100_000, Math.max(500, Math.round((bytes - size) / 900)))
    await psql(paths, env, batch(rows))
  }
}

/** Runs SQL as the stack's own user inside the database's container; rows come back unaligned. */
export async function psql(paths: SandboxPaths, env: Environment, sql: string): Promise<string> {
  const client = ['psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-U', 'aria', '-d', 'aria_blue']
  return (await compose(paths, env, ['exec', '-T', 'aria-db', ...client], sql)).stdout
}

/** By the product's own reference migrations, up to the one that the first release was written for. */
async function migrate({ ports, password }: SandboxState): Promise<void> {
  const { DataSource } = await import('typeorm')
  const { migrations } = await import('../src/migrations/index.js')
  const last = migrations.findIndex((it) => new it().name.startsWith(firstRelease.revision))
  const source = new DataSource({
    type: 'postgres',
    url: databaseUrl(ports.db, password),
    migrations: migrations.slice(0, last + 1),
    migrationsTransactionMode: 'all',
  })
  await source.initialize()
  try {
    await source.runMigrations()
  } finally {
    await source.destroy()
  }
}

export function databaseUrl(port: number, password: string): string {
  return `postgres://aria:${password}@127.0.0.1:${port}/aria_blue`
}

function batch(rows: number): string {
  return `
INSERT INTO messages (session_id, role, content, model, tokens_input, tokens_output, metadata)
SELECT s.ids[1 + n % s.many], (ARRAY['user', 'assistant'])[1 + n % 2],
       'größere Erinnerung ' || md5(random()::text) || ' ' || repeat(md5(n::text) || ' ', 8), 'qwen3:32b', n, n,
       jsonb_build_object('filler', n)
FROM (SELECT array_agg(id) AS ids, count(*)::int AS many FROM (SELECT id FROM sessions LIMIT 100) first) s,
     generate_series(1, ${rows}) n;`
}
