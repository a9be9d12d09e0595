import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SandboxPaths, stackFiles } from './paths.js'
import type { Progress } from './progress.js'
import { compose } from './stack.js'

type Environment = NodeJS.ProcessEnv

/** Makes the schema of a006 and fills it; in one transaction each, so that it can be begun again. */
export async function fill(paths: SandboxPaths, env: Environment): Promise<void> {
  const made = (await psql(paths, env, `SELECT to_regclass('migrations') IS NOT NULL`)).trim() === 't'
  if (!made) await psql(paths, env, sqlFile('schema.sql'))
  const filled = (await psql(paths, env, 'SELECT EXISTS (SELECT FROM sessions)')).trim() === 't'
  if (!filled) await psql(paths, env, sqlFile('rows.sql'))
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

function batch(rows: number): string {
  return `
INSERT INTO messages (session_id, role, content, model, tokens_input, tokens_output, metadata)
SELECT s.ids[1 + n % s.many], (ARRAY['user', 'assistant'])[1 + n % 2],
       'größere Erinnerung ' || md5(random()::text) || ' ' || repeat(md5(n::text) || ' ', 8), 'qwen3:32b', n, n,
       jsonb_build_object('filler', n)
FROM (SELECT array_agg(id) AS ids, count(*)::int AS many FROM (SELECT id FROM sessions LIMIT 100) first) s,
     generate_series(1, ${rows}) n;`
}

function sqlFile(name: string): string {
  return readFileSync(join(stackFiles(), 'sql', name), 'utf8')
}
