import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TargetDatabase } from '../../../src/adapters/database.js'
import { copyDatabase, parseSight, seeDatabase } from '../../../src/commands/database/rehearsal.js'
import { lossesBetween } from '../../../src/plan/rehearsal.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

const [warm, copy] = ['app__warm_0000aaaa', 'app__new_0000bbbb']
let server: TestPostgres

beforeAll(async () => {
  server = await startPostgres()
  await server.query('postgres', `create database "${warm}"`)
  await server.query(
    warm,
    `create table "it's größe" ("a$b" int primary key, note text); create schema "s %"; create table "s %".empty ();
     insert into "it's größe" select i, case when i > 1 then 'n' end from generate_series(1, 3) i`,
  )
  await server.query('postgres', `alter database "${warm}" allow_connections false`)
})
afterAll(() => server?.stop())

const access = () => ({ exec: server.exec(), psqlUser: 'postgres' })

function run(script: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
}

async function visits(): Promise<string> {
  const { host, port, user, password } = server
  const address = { host, port, user, password, database: 'postgres', applicationName: 'test' }
  const live = await TargetDatabase.connect(address)
  const { databases } = await live.observe().finally(() => live.end())
  return databases.find((it) => it.name === warm)!.visits
}

test('a migration is tried on a copy, which the database that it is made from never notices', async () => {
  const before = await visits()
  const made = copyDatabase({ ...access(), from: warm, to: copy, owner: 'postgres', applicationName: 'test' })
  run(made.script)
  run(made.script)
  const see = () => parseSight(run(seeDatabase(access(), copy)))
  const then = see()
  expect(then.columns).toContainEqual({ schema: 'public', table: "it's größe", rows: 3, values: { a$b: 3, note: 2 } })
  await server.query(copy, `alter table "it's größe" drop column note; alter table "it's größe" add column note text`)
  expect(lossesBetween(then, see())).toEqual(["loses column it's größe.note (2 values)"])
  expect(await visits()).toBe(before)
})

test('whoever was in a copy shows, though it is closed again', async () => {
  const before = await visits()
  await server.query('postgres', `alter database "${warm}" allow_connections true`)
  await server.query(warm, 'select 1')
  await server.query('postgres', `alter database "${warm}" allow_connections false`)
  await expect.poll(visits).not.toBe(before)
})
