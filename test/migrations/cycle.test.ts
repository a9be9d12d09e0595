import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeMigrations, MigrationRunner } from '../../src/adapters/database.js'
import { schemaFingerprint } from '../../src/commands/database.js'
import { migrations } from '../../src/migrations/index.js'
import { TargetDatabase } from '../../src/adapters/database.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server?.stop())

const infos = await describeMigrations(migrations)
const names = infos.map((info) => info.name)
const checkFence = async () => {}

describe('the eight migrations', () => {
  let runner: MigrationRunner
  beforeEach(async () => {
    await server.query('postgres', 'drop database if exists cycle with (force)')
    await server.query('postgres', 'create database cycle')
    runner = await MigrationRunner.connect({ ...address(), migrations, lockTimeoutMs: 2000 })
    return () => runner.end()
  })

  it('are the listed revisions, of which the eighth alone is irreversible', () => {
    expect(infos.map((info) => [info.revision, info.reversible])).toEqual([
      ['a001_sessions', true],
      ['a002_messages', true],
      ['a003_agent_state', true],
      ['a004_scheduler_jobs', true],
      ['a005_scheduler_history', true],
      ['a006_pheromone_scores', true],
      ['a007_add_engine_fields', true],
      ['a008_remove_openclaw', false],
    ])
    expect(names[7]).toBe('a008_remove_openclaw1700000000008')
  })

  it('give back the schema of before with each down: all up, one down, up again, all down, all up', async () => {
    const schemas = [dump()]
    const prints = [await print()]
    for (const name of names.slice(0, 7)) {
      expect(await runner.up({ names: [name], checkFence })).toEqual([name])
      schemas.push(dump())
      prints.push(await print())
    }
    expect(new Set(schemas).size).toBe(8)
    expect(new Set(prints).size).toBe(8)
    await runner.down({ names: [names[6]!], checkFence })
    expect(dump()).toBe(schemas[6])
    expect(await runner.up({ names: names.slice(0, 7), checkFence })).toEqual([names[6]])
    expect(dump()).toBe(schemas[7])
    for (let left = 6; left >= 0; left--) {
      await runner.down({ names: [names[left]!], checkFence })
      expect(dump()).toBe(schemas[left])
      expect(await print()).toBe(prints[left])
    }
    expect(await runner.applied()).toEqual([])
    expect(await runner.up({ names: names.slice(0, 7), checkFence })).toEqual(names.slice(0, 7))
    expect(dump()).toBe(schemas[7])
    expect(await runner.down({ names: names.slice(0, 7).toReversed(), checkFence })).toHaveLength(7)
    expect(dump()).toBe(schemas[0])
  })

  it('have the columns, types, defaults and indexes that their readers expect', async () => {
    await runner.up({ names, checkFence })
    const columns = await server.query<{ line: string }>(
      'cycle',
      `select concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
         pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, '')) as line
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> 'migrations' order by c.relname, a.attnum`,
    )
    expect(columns.map((row) => row.line)).toMatchSnapshot()
    const indexes = await server.query<{ indexdef: string }>(
      'cycle',
      `select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'migrations' order by 1`,
    )
    expect(indexes.map((row) => row.indexdef)).toMatchSnapshot()
  })

  it('drop every openclaw column of a database that predates them, and record which', async () => {
    await runner.up({ names: names.slice(0, 7), checkFence })
    await server.query(
      'cycle',
      `alter table messages add column openclaw_id text, add column "openclaw_it's" int, add openclawed int`,
    )
    await server.query('cycle', `comment on table messages is 'what was said'`)
    await runner.up({ names, checkFence })
    const [row] = await server.query(
      'cycle',
      `select obj_description('messages'::regclass) as comment, (select count(*)::int from pg_attribute
       where attrelid = 'messages'::regclass and attname like 'openclaw%' and not attisdropped) as left`,
    )
    expect(row).toEqual({ comment: "what was said\na008_remove_openclaw dropped openclaw_id, openclaw_it's", left: 1 })
  })

  it('refuse to revert the eighth, alone or among others, and leave the records', async () => {
    await runner.up({ names, checkFence })
    const before = dump()
    await expect(runner.down({ names: [names[7]!], checkFence })).rejects.toMatchObject({ type: 'Refused' })
    await expect(runner.down({ names: names.toReversed(), checkFence })).rejects.toMatchObject({ type: 'Refused' })
    expect(dump()).toBe(before)
    expect(await runner.applied()).toEqual(names)
  })
})

function address() {
  const { host, port, user, password } = server
  return { host, port, user, password, database: 'cycle', applicationName: 'stepback:aria:1:migrate' }
}

async function print(): Promise<string> {
  const target = await TargetDatabase.connect({ ...address(), applicationName: 'stepback:aria:1:look' })
  try {
    return await target.schemaSha256(schemaFingerprint)
  } finally {
    await target.end()
  }
}

function dump(): string {
  const flags = [
    '--schema-only',
    '-T',
    'migrations*',
    '-h',
    server.host,
    '-p',
    String(server.port),
    '-U',
    'postgres',
    'cycle',
  ]
  const text = execFileSync(join(server.bin, 'pg_dump'), flags, { encoding: 'utf8' })
  return text.replace(/^\\(un)?restrict .*$/gm, '')
}
