import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createEmptyDatabase,
  dropEmptyDatabase,
  MigrationRunner,
  TargetDatabase,
} from '../../../src/adapters/database.js'
import { schemaStructure } from '../../../src/commands/database.js'
import { migrations } from '../../../src/migrations/index.js'
import { schemaDifferences } from '../../../src/plan/adoption.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
  await server.query('postgres', 'create role owner login; create role reader')
  await server.query('postgres', 'create database app')
  await up('app', 6)
})
afterAll(() => server?.stop())

beforeEach(() => server.query('app', 'drop table if exists migrations, alembic_version'))

const made = 'app__new_0000abcd'
const checkFence = async () => {}
const names = (count: number) => migrations.slice(0, count).map((it) => new it().name)

const address = (database: string) => ({
  host: server.host,
  port: server.port,
  user: server.user,
  password: server.password,
  database,
  applicationName: 'test',
})

async function up(database: string, count: number): Promise<void> {
  const runner = await MigrationRunner.connect({ ...address(database), migrations, lockTimeoutMs: 1_000 })
  await runner.up({ names: names(count), checkFence }).finally(() => runner.end())
}

const structureOf = (columns: readonly string[] = [], tables: readonly string[] = []) =>
  schemaStructure({ tables: ['alembic_version', ...tables], columns })

/** What the live database has differently from the one with the first migrations. */
async function differences(count: number, structure = structureOf()) {
  await createEmptyDatabase(address('app'), { name: made, owner: 'postgres' })
  await up(made, count)
  const lines = async (database: string) => {
    const session = await TargetDatabase.connect(address(database))
    return await session.schemaLines(structure).finally(() => session.end())
  }
  const [expected, found] = [await lines(made), await lines('app')]
  await dropEmptyDatabase(address('app'), made)
  return schemaDifferences({ expected, found })
}

const none = { missing: [], extra: [] }

describe('the structure of a database, compared with what migrations produce', () => {
  test('is equal whoever owns the tables, may read them, and keeps records beside them', async () => {
    await server.query('app', 'create table alembic_version (version_num varchar(32) primary key)')
    await server.query('app', 'alter table sessions owner to owner; grant select on messages to reader')
    await server.query('app', 'create publication p for table messages')
    expect(await differences(6)).toEqual(none)
  })

  test('differs by a table, a column, an index or a default', async () => {
    expect((await differences(5)).extra.some((line) => line.startsWith('relation r public.pheromone_scores'))).toBe(
      true,
    )
    await server.query(
      'app',
      'alter table sessions alter title set default $$x$$; create index extra on messages (role)',
    )
    const { missing, extra } = await differences(6)
    expect(missing).toHaveLength(1)
    expect(extra).toHaveLength(2)
    await server.query('app', 'alter table sessions alter title drop default; drop index extra')
  })

  test('leaves out what is configured to differ, with its index, comment, and place among the columns', async () => {
    await server.query('app', `alter table messages add openclaw_x text; create index on messages (openclaw_x)`)
    await server.query(
      'app',
      `comment on column messages.openclaw_x is 'legacy'; create table old (id serial primary key)`,
    )
    expect((await differences(6)).extra.length).toBeGreaterThan(5)
    expect(await differences(6, structureOf(['*.openclaw_*'], ['old']))).toEqual(none)
  })
})

test('recording is refused where the schema is no longer the one that was compared', async () => {
  const runner = await MigrationRunner.connect({ ...address('app'), migrations, lockTimeoutMs: 1_000 })
  const { settings, hash } = structureOf()
  const adopt = (sha256: string) =>
    runner.adopt({ names: names(6), checkFence, expected: { settings, sql: hash, sha256 } })
  await expect(adopt('other')).rejects.toMatchObject({ message: expect.stringContaining('nothing was recorded') })
  expect(await runner.applied()).toEqual([])
  const session = await TargetDatabase.connect(address('app'))
  const sha256 = await session.schemaSha256({ settings, sql: hash }).finally(() => session.end())
  expect(await adopt(sha256)).toEqual(names(6))
  expect(await runner.applied()).toEqual(names(6))
  await runner.end()
})
