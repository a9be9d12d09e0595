import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MigrationRunner, readRole } from '../../../src/adapters/database.js'
import { parseFacts, restoreInto, takeDump } from '../../../src/commands/database.js'
import { migrations } from '../../../src/migrations/index.js'
import { strategyFindings } from '../../../src/plan/roles.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

let server: TestPostgres
let directory: string
beforeAll(async () => {
  server = await startPostgres()
  directory = mkdtempSync(join(tmpdir(), 'stepback-roles-'))
  await server.query('postgres', 'create role app login; create role "the admin" login; create role reader login')
  await server.query('postgres', 'create database app owner app')
  const runner = await MigrationRunner.connect({ ...address('app'), migrations, lockTimeoutMs: 1_000 })
  const names = migrations.slice(0, 2).map((it) => new it().name)
  await runner.up({ names, checkFence: async () => {} }).finally(() => runner.end())
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const address = (user: string) => ({
  host: server.host,
  port: server.port,
  password: '',
  database: 'app',
  applicationName: 'test',
  user,
})

async function findings(admin: string) {
  const roles = { admin: await readRole(address(admin)), migrations: await readRole(address('app')) }
  return strategyFindings({ database: 'app', ...roles })
}

const byCheck = async (admin: string) => Object.fromEntries((await findings(admin)).map((it) => [it.check, it]))

test('a role of the migrations without CREATEDB allows migrate alone, and says what the others need', async () => {
  const found = await byCheck('app')
  expect(found['strategy migrate']).toMatchObject({ ok: true, detail: 'possible as role "app"' })
  expect(found['strategy restore']).toMatchObject({ ok: false, detail: expect.stringContaining('no CREATEDB') })
  expect(found['strategy restore']!.hint).toContain('alter role app createdb')
  expect(found['strategy swap']).toMatchObject({ ok: false })
})

test('a role of few rights is told each that it lacks, and with just these it restores an equal database', async () => {
  const before = await byCheck('the admin')
  expect(before['strategy restore']!.detail).toMatch(
    /tables belong to app.*no CREATEDB.*belongs to "app".*sessions of others/,
  )
  const grants = before['strategy restore']!.hint!.replace('as a superuser: ', '').replace(/; or name .*/, '')
  await server.query('app', grants)
  expect((await findings('the admin')).every((it) => it.ok)).toBe(true)

  const access = { exec: server.exec('roles'), psqlUser: 'the admin' }
  const dump = takeDump({
    ...access,
    database: 'app',
    outFile: join(directory, 'app.dump'),
    factsFile: join(directory, 'app.facts'),
    format: 'dump',
    applicationName: 'roles',
  })
  expect(sh(dump.script)).toBe(0)
  const facts = parseFacts(readFileSync(join(directory, 'app.facts'), 'utf8'))
  const restored = restoreInto({
    ...access,
    newDatabase: 'app__new_0000beef',
    dumpFile: join(directory, 'app.dump'),
    format: 'dump',
    properties: facts.properties,
    expected: facts,
    applicationName: 'roles',
  })
  expect(sh(restored.script)).toBe(0)
  const owners = await server.query<{ owner: string }>(
    'postgres',
    `select pg_get_userbyid(datdba) as owner from pg_database where datname = 'app__new_0000beef'`,
  )
  expect(owners).toEqual([{ owner: 'app' }])
})

test('a reader allows nothing', async () => {
  const { migrate } = { migrate: await readRole(address('reader')) }
  const found = strategyFindings({ database: 'app', admin: migrate, migrations: migrate })
  expect(found.map((it) => it.ok)).toEqual([false, false, false])
})

function sh(script: string): number | null {
  return spawnSync('/bin/sh', { input: script, encoding: 'utf8' }).status
}
