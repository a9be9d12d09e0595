import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  login,
  MigrationRunner,
  nothingRemembered,
  TargetDatabase,
  writesSince,
  type OwnWrites,
} from '../../../src/adapters/database.js'
import { parseFacts, takeDump } from '../../../src/commands/database.js'
import type { DatabaseFacts } from '../../../src/plan/manifest.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

const taken = { ...nothingRemembered, taken: true }
const newRow = `insert into messages values (101, 'y', null)`

let server: TestPostgres
let directory: string
let target: TargetDatabase
let baseline: DatabaseFacts
beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'stepback-exposure-'))
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => {
  await server.query('postgres', 'drop database if exists app with (force)')
  await server.query('postgres', 'create database app')
  await server.query(
    'app',
    `create table messages (id int primary key, text text, created_at timestamptz);
     insert into messages select i, 'x', '2026-01-01' from generate_series(1, 100) i;
     create table quiet (i int); insert into quiet values (1)`,
  )
  await connect()
  await settled((tables) => tables.length === 2 && tables.every((table) => table.inserted > 0))
  baseline = take()
  return () => target.end()
})

describe('the exposure', () => {
  it('is nothing where nothing was written', async () => {
    expect(await lost()).toEqual({ total: 0, tables: [] })
  })

  it('counts rows that were inserted exactly, and says when the newest came', async () => {
    await server.query(
      'app',
      `insert into messages select i, 'y', '2026-02-02T00:00:00Z' from generate_series(101, 112) i`,
    )
    await server.query('app', `begin; insert into messages values (999, 'no', now()); rollback`)
    const newest = '2026-02-02T00:00:00.000Z'
    expect(await lost()).toEqual({
      total: 12,
      tables: [{ table: 'messages', inserted: 12, updated: 0, deleted: 0, newest, method: 'exact' }],
    })
  })

  it('divides inserted, updated and deleted rows by counters, the sum staying exact', async () => {
    await server.query('app', `${newRow}, (102, 'z', null)`)
    await server.query('app', `update messages set text = 'u' where id <= 5`)
    await server.query('app', `delete from messages where id between 50 and 52`)
    expect(await figures()).toEqual([['messages', 2, 5, 3, 'exact sum']])
  })

  it('counts the rows of tables that are new, and of those that are gone', async () => {
    await server.query('app', `create table fresh as select generate_series(1, 7) i; drop table quiet`)
    expect(await figures()).toEqual([
      ['fresh', 7, 0, 0, 'exact'],
      ['quiet', 0, 0, 1, 'rows'],
    ])
  })

  it('of an approval is brought up to date by counters alone', async () => {
    const before = await target.counters()
    await server.query('app', `${newRow}; delete from messages where id = 1`)
    const since = writesSince({ before, after: await target.counters() })
    expect(since).toMatchObject({ total: 2, tables: [{ table: 'messages', inserted: 1, deleted: 1 }] })
  })

  it('counts no row twice that a session wrote before and tells of later', async () => {
    const late = await client()
    await late.query('select 1')
    await late.query(newRow)
    const { exposure, counters } = await target.exposure(baseline)
    expect(exposure.total).toBe(1)
    await late.end()
    await settled((tables) => tables.some((table) => table.name === 'messages' && table.inserted === 101))
    expect(writesSince({ before: counters, after: await target.counters() })?.total).toBe(0)
  })
})

describe('the exposure is not called exact', () => {
  it('where a transaction with a savepoint was open at the take', async () => {
    const open = await client()
    await open.query(`begin; insert into quiet values (2); savepoint s; ${newRow}`)
    // Only behind another that ended meanwhile is it inside the snapshot.
    await server.query('app', 'select pg_current_xact_id()')
    baseline = take()
    expect(baseline.openSavepoints).toBe(true)
    await open.query('commit')
    await open.end()
    await settled((tables) => tables.some((table) => table.name === 'messages' && table.inserted === 101))
    expect(await figures()).toEqual([
      ['messages', 1, 0, 0, 'counters'],
      ['quiet', 1, 0, 0, 'counters'],
    ])
  })

  it('where the database was made from a dump', async () => {
    await target.end()
    await server.query('postgres', 'alter database app rename to before')
    await server.query('postgres', 'create database app template before')
    await server.query('postgres', 'drop database before')
    await connect()
    await server.query('app', `${newRow}; update messages set text = 'u' where id <= 5`)
    expect(await figures(taken)).toEqual([['messages', 1, 0, 0, 'rows']])
  })

  it('where the data directory was put back from a copy, and everything has the same names and numbers', async () => {
    await target.end()
    await server.restart(({ data, run }) => run('cp', '-a', data, `${data}.copy`))
    await connect()
    await server.query('app', `update messages set text = 'u' where id <= 5`)
    baseline = take()
    await target.end()
    await server.restart(({ data, run }) => {
      run('rm', '-rf', data)
      run('mv', `${data}.copy`, data)
    })
    await connect()
    await server.query('app', newRow)
    await server.query('app', `update messages set text = 'u' where id <= 5`)
    expect(await figures()).toEqual([['messages', 1, 0, 0, 'rows']])
  })

  it('by counters where a crash has set them to nothing, and by rows then', async () => {
    process.kill(target.pid, 'SIGKILL')
    await target.end()
    await reached()
    await connect()
    await server.query('app', `${newRow}; update messages set text = 'u' where id <= 5`)
    expect(await figures()).toEqual([['messages', 1, 5, 0, 'exact sum']])
    expect(await figures(taken, { ...baseline, openSavepoints: true })).toEqual([['messages', 1, 0, 0, 'rows']])
    expect(writesSince({ before: baseline.counters, after: await target.counters() })).toBeUndefined()
  })

  it('and still is after a restart that the journal outlived', async () => {
    await target.end()
    await server.restart(() => {})
    await connect()
    await server.query('app', newRow)
    expect(await figures(taken)).toEqual([['messages', 1, 0, 0, 'exact']])
  })
})

describe('the writes of a migration', () => {
  it('are told from those of the application, whichever came first', async () => {
    await server.query('app', `${newRow}; insert into quiet values (2)`)
    const own = await migrate(`update messages set text = 'm' where id <= 50`)
    await server.query('app', `update messages set text = 'u' where id = 7; delete from messages where id = 8`)
    await settled((tables) => tables.some((table) => table.name === 'messages' && table.deleted === 1))
    expect(await figures({ taken: true, migrations: own })).toEqual([
      ['messages', 1, 1, 1, 'counters'],
      ['quiet', 1, 0, 0, 'exact'],
    ])
    expect(await figures(taken)).toEqual([
      ['messages', 1, 49, 1, 'exact sum'],
      ['quiet', 1, 0, 0, 'exact'],
    ])
  })

  it('are none where it rewrites a table', async () => {
    const own = await migrate('alter table messages alter column id type bigint')
    expect((await target.exposure(baseline, { taken: true, migrations: own })).exposure.total).toBe(0)
  })

  it('count as the application’s where its transaction never ended well', async () => {
    const own = await migrate(`update messages set text = 'm' where id <= 50`, 'fail')
    expect(own).toHaveLength(1)
    await server.query('app', `update messages set text = 'u' where id <= 60`)
    expect(await figures({ taken: true, migrations: own })).toEqual([['messages', 0, 60, 0, 'exact sum']])
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

describe('the exposure by ids that are compared byte for byte', () => {
  it('is exact where all but their first bytes begin anew in between', async () => {
    for (let id = 0; id < 256; id += 1) await server.query('app', 'select pg_current_xact_id()')
    await server.query('app', `${newRow}; update messages set text = 'u' where id <= 5`)
    expect(await figures(taken)).toEqual([['messages', 1, 5, 0, 'exact sum']])
    baseline = take()
    expect(await figures(taken)).toEqual([])
  })
})

describe('the exposure in a server that has used up 32 bits of transaction ids', () => {
  it('is not called exact: a row carries no more of its own', async () => {
    await target.end()
    await server.restart(({ data, run }) => run(join(server.bin, 'pg_resetwal'), '-e', '1', '-D', data))
    await connect()
    await server.query('app', `${newRow}; update messages set text = 'u' where id <= 5`)
    expect(await figures(taken)).toEqual([['messages', 1, 5, 0, 'counters']])
  })
})

describe('what downs drop', () => {
  const dropped = (tables: string[], ...columns: string[]) =>
    target.countDropped({ tables, columns: columns.map((column) => ({ table: 'messages', column })) })

  it('is counted: rows of tables, and values of columns but those that a constant default put there', async () => {
    await server.query(
      'app',
      `alter table messages add column agent text, add column "Engine" varchar(20) not null default '2.0.0',
         add column tags jsonb default '{}', add column at timestamptz default now();
       update messages set agent = 'a', "Engine" = '2.1.0' where id <= 5; update messages set tags = '[1]' where id = 7`,
    )
    const lost = await dropped(['quiet', 'public.absent'], 'agent', 'Engine', 'tags', 'at', 'absent')
    expect(lost.map((it) => [it.table, it.column, it.deleted])).toEqual([
      ['quiet', undefined, 1],
      ['messages', 'agent', 5],
      ['messages', 'Engine', 5],
      ['messages', 'tags', 1],
      ['messages', 'at', 100],
    ])
  })

  it('is counted once where a column goes with its table', async () => {
    expect(await dropped(['messages'], 'text')).toMatchObject([{ table: 'messages', deleted: 100 }])
  })
})

async function lost(remembered = nothingRemembered, since = baseline) {
  return (await target.exposure(since, remembered)).exposure
}

async function figures(remembered = nothingRemembered, since = baseline) {
  const { tables } = await lost(remembered, since)
  return tables.map((it) => [it.table, it.inserted, it.updated, it.deleted, it.method])
}

/** Runs one migration, and returns what it said of itself right before its commit. */
async function migrate(sql: string, commit?: 'fail'): Promise<OwnWrites[]> {
  const own: OwnWrites[] = []
  class Once {
    readonly name = 'once1700000000001'
    async up(runner: { query(text: string): Promise<unknown> }): Promise<void> {
      await runner.query(sql)
    }
    async down(): Promise<void> {}
  }
  const runner = await MigrationRunner.connect({
    ...address(),
    applicationName: 'stepback:aria:1:up',
    database: 'app',
    migrations: [Once],
    lockTimeoutMs: 5_000,
  })
  const up = runner.up({
    names: ['once1700000000001'],
    checkFence: () => (commit && own.length > 0 ? Promise.reject(new Error('fenced')) : Promise.resolve()),
    keepWrites: (writes) => Promise.resolve(own.push(writes)),
  })
  await up.catch((error: unknown) => expect(commit, String(error)).toBe('fail'))
  await runner.end()
  await settled((tables) => commit === 'fail' || tables.some((table) => table.updated > 0 || !sql.startsWith('update')))
  return own
}

function take(): DatabaseFacts {
  const [outFile, factsFile] = ['dump', 'facts'].map((name) => join(directory, name))
  const { script } = takeDump({
    exec: server.exec(),
    psqlUser: 'postgres',
    database: 'app',
    outFile: outFile!,
    factsFile: factsFile!,
    format: 'dump',
    applicationName: 'test',
  })
  expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  return parseFacts(readFileSync(factsFile!, 'utf8'))
}

async function client(): Promise<pg.Client> {
  const { host, port, user, password } = server
  const made = new pg.Client({ host, port, user, password, database: 'app' })
  made.on('error', () => {})
  await made.connect()
  return made
}

async function connect(): Promise<void> {
  target = await TargetDatabase.connect({ ...address(), database: 'app' })
}

function address() {
  const { host, port, user, password } = server
  return { host, port, user, password, applicationName: 'stepback:aria:1:look' }
}

/** A server that lost a process ends all others first. */
async function reached(): Promise<void> {
  for (;;) {
    if (await server.query('postgres', 'select 1').catch(() => undefined)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

type Tables = Awaited<ReturnType<TargetDatabase['counters']>>['tables']

// A session's counts reach the others when it ends, which the client does not wait for.
async function settled(are: (tables: Tables) => boolean): Promise<void> {
  while (!are((await target.counters()).tables)) await new Promise((resolve) => setTimeout(resolve, 20))
}
