import pg from 'pg'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MigrationRunner, TargetDatabase, type MigrationClass } from '../../../src/adapters/database.js'
import { schemaFingerprint } from '../../../src/commands/database.js'
import { StepbackError } from '../../../src/plan/failure.js'
import { dropAnswer, startPostgres, type TestPostgres } from '../../support/postgres.js'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server?.stop())

const one = table('one', 1)
const two = table('two', 2)
const three = table('three', 3)
const [n1, n2, n3] = [1, 2, 3].map((n) => `t${n}_${['one', 'two', 'three'][n - 1]}170000000000${n}`) as [
  string,
  string,
  string,
]
const open: { end(): Promise<unknown> }[] = []
const checkFence = async () => {}

beforeEach(async () => {
  await server.query('postgres', 'drop database if exists app with (force)')
  await server.query('postgres', 'create database app')
  return async () => {
    await Promise.all(open.splice(0).map((it) => it.end().catch(() => {})))
  }
})

describe('applying', () => {
  it('applies all or none', async () => {
    const failing = migration('t2_two1700000000002', async (runner) => void (await runner.query('create tabel two ()')))
    const runner = await connect([one, failing, three])
    await expect(runner.up({ names: [n1, n2, n3], checkFence })).rejects.toMatchObject({ type: 'StepFailed' })
    expect(await tables()).toEqual([])
  })

  it('applies the named ones alone, and nothing that is recorded', async () => {
    const runner = await connect([one, two, three])
    expect(await runner.up({ names: [n1], checkFence })).toEqual([n1])
    expect(await runner.up({ names: [n1, n2], checkFence })).toEqual([n2])
    expect(await tables()).toEqual(['migrations', 'one', 'two'])
    await expect(runner.up({ names: ['t9_nine1700000000009'], checkFence })).rejects.toMatchObject({ type: 'Refused' })
  })

  it('runs by itself what cannot be in a transaction', async () => {
    const concurrently = migration(
      n2,
      async (runner) => void (await runner.query('create index concurrently ix on one (i)')),
      undefined,
      false,
    )
    const runner = await connect([one, concurrently, three])
    expect(await runner.up({ names: [n1, n2, n3], checkFence })).toEqual([n1, n2, n3])
    expect(await runner.applied()).toEqual([n1, n2, n3])
  })

  it('reverts by itself, too, what cannot be in a transaction', async () => {
    const say = (sql: string) => async (runner: QueryRunner) => void (await runner.query(sql))
    const [add, drop] = [say('create index concurrently ix on one (i)'), say('drop index concurrently ix')]
    const runner = await connect([one, migration(n2, add, drop, false)])
    await runner.up({ names: [n1, n2], checkFence })
    expect(await runner.down({ names: [n2], checkFence })).toEqual([n2])
    expect(await server.query('app', `select from pg_class where relname = 'ix'`)).toEqual([])
    expect(await runner.applied()).toEqual([n1])
  })

  it('is Busy, with nothing done, when a lock is not to be had in time', async () => {
    const runner = await connect([one, migration(n2, async (it) => void (await it.query('alter table one add j int')))])
    await runner.up({ names: [n1], checkFence })
    const other = await client('app')
    await other.query('begin; select from one')
    await expect(runner.up({ names: [n2], checkFence })).rejects.toMatchObject({ type: 'Busy' })
    expect(await runner.applied()).toEqual([n1])
    await other.query('rollback')
    expect(await runner.up({ names: [n2], checkFence })).toEqual([n2])
  })

  it('changes nothing when the token is lost before the commit', async () => {
    const runner = await connect([one])
    let looks = 0
    const lost = async () => {
      if (++looks === 2) throw new StepbackError({ type: 'Fenced', message: 'token 1 is not in force' })
    }
    await expect(runner.up({ names: [n1], checkFence: lost })).rejects.toMatchObject({ type: 'Fenced' })
    expect(looks).toBe(2)
    expect(await tables()).toEqual([])
  })

  it('is Unreachable, not failed, when the connection is lost between two statements', async () => {
    const runner = await connect([one])
    let looks = 0
    const cut = async () => {
      if (++looks < 2) return
      await server.query('postgres', `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'app'`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await expect(runner.up({ names: [n1], checkFence: cut })).rejects.toMatchObject({ type: 'Unreachable' })
    expect(await runner.up({ names: [n1], checkFence })).toEqual([n1])
  })

  it('knows after a lost answer to COMMIT what was done, once the ghost is gone', async () => {
    const lossy = await dropAnswer(server, /^commit$/i)
    const broken = await connect([one, two], lossy.port)
    await expect(broken.up({ names: [n1, n2], checkFence })).rejects.toMatchObject({ type: 'Unreachable' })
    lossy.close()
    const runner = await connect([one, two])
    expect(await runner.up({ names: [n1, n2], checkFence })).toEqual([])
    expect(await runner.applied()).toEqual([n1, n2])
  })

  it('ends a ghost of an earlier attempt, and waits for it, before it reads what is recorded', async () => {
    const slow = migration(n1, async (it) => void (await it.query('create table one (i int); select pg_sleep(30)')))
    const ghost = await connect([slow])
    const lost = ghost.up({ names: [n1], checkFence }).catch((error) => error.type)
    await until(
      async () =>
        (
          await server.query(
            'postgres',
            `select from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()`,
          )
        ).length > 0,
    )
    const runner = await connect([one])
    expect(await runner.up({ names: [n1], checkFence })).toEqual([n1])
    expect(await lost).toBe('Unreachable')
  })

  it('adopts what another tool made, once, without running it', async () => {
    await server.query('app', 'create table one (i int)')
    const target = await look()
    expect(await target.observe()).toMatchObject({ applied: [], unrecorded: true })
    const runner = await connect([one, two])
    expect(await runner.adopt({ names: [n1], checkFence })).toEqual([n1])
    expect(await runner.adopt({ names: [n1], checkFence })).toEqual([])
    await expect(runner.adopt({ names: [n1, n2], checkFence })).rejects.toMatchObject({ type: 'Refused' })
    expect(await runner.up({ names: [n1, n2], checkFence })).toEqual([n2])
    expect(await target.observe()).toMatchObject({ applied: [n1, n2], unrecorded: false })
  })
})

describe('reverting', () => {
  it('reverts several in one transaction when the schema is the expected one', async () => {
    const runner = await connect([one, two, three])
    await runner.up({ names: [n1], checkFence })
    const sha256 = await (await look()).schemaSha256(schemaFingerprint)
    await runner.up({ names: [n2, n3], checkFence })
    const expected = { ...schemaFingerprint, sha256 }
    expect(await runner.down({ names: [n3, n2], checkFence, expected })).toEqual([n3, n2])
    expect(await tables()).toEqual(['migrations', 'one'])
    expect(await runner.down({ names: [n3, n2], checkFence, expected }), 'asked again').toEqual([])
  })

  it('reverts none when the schema is another one', async () => {
    const runner = await connect([one, two, three])
    await runner.up({ names: [n1, n2, n3], checkFence })
    const expected = { ...schemaFingerprint, sha256: 'other' }
    await expect(runner.down({ names: [n3, n2], checkFence, expected })).rejects.toMatchObject({ type: 'StepFailed' })
    expect(await tables()).toEqual(['migrations', 'one', 'three', 'two'])
    expect(await runner.applied()).toEqual([n1, n2, n3])
  })

  it('reverts none when one of them fails', async () => {
    const failing = migration(
      n2,
      async (it) => void (await it.query('create table two ()')),
      async (it) => {
        await it.query('select 1')
        throw new Error('not today')
      },
    )
    const runner = await connect([one, failing, three])
    await runner.up({ names: [n1, n2, n3], checkFence })
    await expect(runner.down({ names: [n3, n2], checkFence })).rejects.toMatchObject({ type: 'StepFailed' })
    expect(await runner.applied()).toEqual([n1, n2, n3])
  })

  for (const [how, commit] of [
    ['through TypeORM', (it: QueryRunner) => it.commitTransaction()],
    ['in SQL', (it: QueryRunner) => it.query('commit')],
  ] as const) {
    it(`stops behind a down that commits ${how}, before the next one`, async () => {
      const committing = migration(
        n3,
        async (it) => void (await it.query('create table three ()')),
        async (it) => {
          await it.query('drop table three')
          await commit(it)
        },
      )
      const runner = await connect([one, two, committing])
      await runner.up({ names: [n1, n2, n3], checkFence })
      await expect(runner.down({ names: [n3, n2], checkFence })).rejects.toMatchObject({
        type: 'StepFailed',
        message: expect.stringContaining('ended the transaction'),
      })
      expect(await tables()).toEqual(['migrations', 'one', 'two'])
    })
  }

  it('refuses what is not the newest, and an irreversible one', async () => {
    const final = migration(n3, async () => {})
    Object.assign(final, { irreversible: true })
    const runner = await connect([one, two, final])
    await runner.up({ names: [n1, n2, n3], checkFence })
    await expect(runner.down({ names: [n2], checkFence })).rejects.toMatchObject({ type: 'StepFailed' })
    await expect(runner.down({ names: [n3], checkFence })).rejects.toMatchObject({ type: 'Refused' })
    expect(await runner.applied()).toEqual([n1, n2, n3])
  })

  it('knows after a lost answer to COMMIT that it is done', async () => {
    const runner = await connect([one, two])
    await runner.up({ names: [n1, n2], checkFence })
    await runner.end()
    const lossy = await dropAnswer(server, /^commit$/i)
    const broken = await connect([one, two], lossy.port)
    await expect(broken.down({ names: [n2], checkFence })).rejects.toMatchObject({ type: 'Unreachable' })
    lossy.close()
    const again = await connect([one, two])
    expect(await again.down({ names: [n2], checkFence })).toEqual([])
    expect(await tables()).toEqual(['migrations', 'one'])
  })
})

function table(name: string, n: number): MigrationClass {
  return migration(
    `t${n}_${name}170000000000${n}`,
    async (runner) => void (await runner.query(`create table ${name} (i int)`)),
    async (runner) => void (await runner.query(`drop table ${name}`)),
  )
}

function migration(
  name: string,
  up: (runner: QueryRunner) => Promise<void>,
  down: (runner: QueryRunner) => Promise<void> = async () => {},
  transaction?: boolean,
): MigrationClass {
  return class implements MigrationInterface {
    readonly name = name
    readonly up = up
    readonly down = down
    constructor() {
      if (transaction !== undefined) Object.assign(this, { transaction })
    }
  }
}

async function connect(migrations: readonly MigrationClass[], port = server.port): Promise<MigrationRunner> {
  const { host, user, password } = server
  const applicationName = 'stepback:aria:1:migrate'
  const runner = await MigrationRunner.connect({
    host,
    port,
    user,
    password,
    database: 'app',
    applicationName,
    migrations,
    lockTimeoutMs: 300,
  })
  open.push(runner)
  return runner
}

async function look(): Promise<TargetDatabase> {
  const { host, port, user, password } = server
  const target = await TargetDatabase.connect({
    host,
    port,
    user,
    password,
    database: 'app',
    applicationName: 'stepback:aria:1:look',
  })
  open.push(target)
  return target
}

async function client(database: string): Promise<pg.Client> {
  const made = new pg.Client({ host: server.host, port: server.port, user: server.user, database })
  made.on('error', () => {})
  await made.connect()
  open.push(made)
  return made
}

async function tables(): Promise<string[]> {
  const rows = await server.query<{ tablename: string }>(
    'app',
    `select tablename from pg_tables where schemaname = 'public' order by 1`,
  )
  return rows.map((row) => row.tablename)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}
