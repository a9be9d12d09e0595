import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { login, TargetDatabase, writesSince, type Baseline } from '../../../src/adapters/database.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

let server: TestPostgres
let target: TargetDatabase
let baseline: Baseline
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  await server.query('postgres', 'drop database if exists app with (force)')
  await server.query('postgres', 'create database app')
  await server.query(
    'app',
    `create table messages (id int primary key, text text, created_at timestamptz);
     insert into messages select i, 'x', '2026-01-01' from generate_series(1, 100) i;
     create table quiet (i int); insert into quiet values (1)`,
  )
  target = await TargetDatabase.connect({ ...address(), database: 'app' })
  await settled()
  baseline = await target.baseline()
  return () => target.end()
})

describe('the exposure', () => {
  it('is nothing where nothing was written', async () => {
    expect(await target.exposure(baseline)).toEqual({ total: 0, tables: [] })
  })

  it('counts rows that were inserted exactly, and says when the newest came', async () => {
    await server.query(
      'app',
      `insert into messages select i, 'y', '2026-02-02T00:00:00Z' from generate_series(101, 112) i`,
    )
    await server.query('app', `begin; insert into messages values (999, 'no', now()); rollback`)
    expect(await target.exposure(baseline)).toEqual({
      total: 12,
      tables: [
        {
          table: 'messages',
          inserted: 12,
          updated: 0,
          deleted: 0,
          newest: '2026-02-02T00:00:00.000Z',
          method: 'exact',
        },
      ],
    })
  })

  it('divides inserted, updated and deleted rows by counters, the sum staying exact', async () => {
    await server.query('app', `insert into messages values (101, 'y', null), (102, 'z', null)`)
    await server.query('app', `update messages set text = 'u' where id <= 5`)
    await server.query('app', `delete from messages where id between 50 and 52`)
    const { total, tables } = await target.exposure(baseline)
    expect(tables).toEqual([
      {
        table: 'messages',
        inserted: 2,
        updated: 5,
        deleted: 3,
        newest: '2026-01-01T00:00:00.000Z',
        method: 'exact sum',
      },
    ])
    expect(total).toBe(10)
  })

  it('counts the rows of tables that are new, and of those that are gone', async () => {
    await server.query('app', `create table fresh as select generate_series(1, 7) i; drop table quiet`)
    const { tables } = await target.exposure(baseline)
    expect(tables.map((it) => [it.table, it.inserted, it.deleted, it.method])).toEqual([
      ['fresh', 7, 0, 'exact'],
      ['quiet', 0, 1, 'rows'],
    ])
  })

  it('is by counters, and says so, where a snapshot cannot tell', async () => {
    await server.query(
      'app',
      `insert into messages values (101, 'y', null); update messages set text = 'u' where id <= 5`,
    )
    for (const unsure of [
      { openSavepoints: true },
      { oid: baseline.oid + 1 },
      { systemIdentifier: '1' },
      { snapshot: '999999999:999999999:' },
    ]) {
      const { tables } = await target.exposure({ ...baseline, ...unsure })
      expect(tables.map((it) => [it.inserted, it.updated, it.method])).toEqual([[1, 5, 'counters']])
    }
  })

  it('is by rows alone, and says so, where the counters began anew too', async () => {
    await server.query(
      'app',
      `insert into messages values (101, 'y', null); update messages set text = 'u' where id <= 5`,
    )
    const counters = { ...baseline.counters, postmasterStart: 'before' }
    const { tables } = await target.exposure({ ...baseline, openSavepoints: true, counters })
    expect(tables.map((it) => [it.inserted, it.updated, it.method])).toEqual([[1, 0, 'rows']])
    expect(writesSince({ before: counters, after: await target.counters() })).toBeUndefined()
  })

  it('of an approval is brought up to date by counters alone', async () => {
    const before = await target.counters()
    await server.query('app', `insert into messages values (101, 'y', null); delete from messages where id = 1`)
    const since = writesSince({ before, after: await target.counters() })
    expect(since).toMatchObject({
      total: 2,
      tables: [{ table: 'messages', inserted: 1, deleted: 1, method: 'counters' }],
    })
  })
})

describe('the observation', () => {
  it('says what is there', async () => {
    await server.query(
      'app',
      `create table alembic_version (version_num varchar(32)); insert into alembic_version values ('abc')`,
    )
    expect(await target.observe()).toMatchObject({
      applied: [],
      unrecorded: true,
      alembic: 'abc',
      preparedTransactions: 0,
      sessions: 0,
      superuser: true,
      databases: expect.arrayContaining([
        expect.objectContaining({ name: 'app', oid: baseline.oid, allowsConnections: true }),
      ]),
    })
  })
})

describe('the login', () => {
  it('tells a wrong database from a server that does not answer', async () => {
    await login({ ...address(), database: 'app' })
    await expect(login({ ...address(), database: 'none' })).rejects.toMatchObject({ type: 'Refused' })
    await expect(login({ ...address(), user: 'nobody', database: 'app' })).rejects.toMatchObject({ type: 'Refused' })
    await expect(login({ ...address(), port: 1, database: 'app' })).rejects.toMatchObject({ type: 'Unreachable' })
  })
})

function address() {
  const { host, port, user, password } = server
  return { host, port, user, password, applicationName: 'stepback:aria:1:look' }
}

// A session's counts reach the others when it ends, which the client does not wait for.
async function settled(): Promise<void> {
  for (;;) {
    const { tables } = await target.counters()
    if (tables.length === 2 && tables.every((table) => table.inserted > 0)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
