// A real server that asks for passwords; the host's looks are read from two texts.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { observeEnvironment } from '../../src/activities/observe/environment.js'
import type { Look } from '../../src/activities/observe/look.js'
import * as database from '../../src/adapters/database.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import { type TestPostgres, startPostgres } from '../support/postgres.js'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
  await postgres.query('postgres', `create role app login password 'it''s $live'`)
  const [row] = await postgres.query<{ hba_file: string }>('postgres', 'show hba_file')
  const rules = readFileSync(row!.hba_file, 'utf8')
  writeFileSync(row!.hba_file, 'host all app 127.0.0.1/32 scram-sha-256\n')
  appendFileSync(row!.hba_file, rules)
  await postgres.query('postgres', 'select pg_reload_conf()')
})
afterAll(() => postgres.stop())

const live = `DB_USER=app\nDB_PASSWORD="it's \\$live"\nLOG=info\n`

async function observed(text: string, keep: readonly string[] = []) {
  const config = parseConfig(
    `
targets:
  shop:
    ssh: { host: shop.test, user: deploy }
    directory: /srv/shop
    backups: /srv/shop/backups
    compose: { project: shop, files: [docker-compose.yml] }
    services: { application: [api] }
    database:
      { service: db, name: postgres, port: ${postgres.port}, user: { envFile: DB_USER }, password: { envFile: DB_PASSWORD } }
`,
    'x.yaml',
  )
  const look = {
    deps: { database },
    target: findTarget(config, 'shop'),
    ssh: { tunnel: async ({ port }: { port: number }) => ({ port, close: async () => undefined }) },
    environment: async () => ({ exitCode: 0, stdout: live, stderr: '' }),
    ofWell: ({ stdout }: { readonly stdout: string }) => stdout,
  } as unknown as Look
  return await observeEnvironment(look, { text, keep, whose: 'restore point "r"' })
}

const old = live.replace(/DB_PASSWORD=.*/, 'DB_PASSWORD=old-hunter2')

describe('an environment file in the place of the live one', () => {
  test('is compared by its keys', async () => {
    expect(await observed(live)).toBeNull()
    expect(await observed(live.replace('LOG=info', 'LOG=debug\nNEW=1'))).toEqual({ changed: ['LOG', 'NEW'], kept: [] })
  })

  test('with a login that the database does not know is refused, naming keys and no value', async () => {
    const error = await observed(old).catch((cause: Error) => cause)
    expect(error).toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(
        'the environment file of restore point "r" has another DB_PASSWORD than ".env", and the database does not let its login in',
      ),
      hint: expect.stringContaining('add DB_PASSWORD to `secrets` of target "shop"'),
    })
    expect((error as Error).message).not.toMatch(/hunter2|live\b.*'|\bapp\b/)
  })

  test('keeps the live values of secrets, and is then let in', async () => {
    expect(await observed(old, ['DB_PASSWORD'])).toEqual({ changed: [], kept: ['DB_PASSWORD'] })
  })

  test('without the key of the login is refused', async () => {
    await expect(observed('LOG=info')).rejects.toThrow('DB_USER is not set in it')
  })

  test('with another login that works is let in', async () => {
    await postgres.query('postgres', `create role other login password 'x'`)
    expect(await observed(live.replace('DB_USER=app', 'DB_USER=other'))).toEqual({ changed: ['DB_USER'], kept: [] })
  })
})
