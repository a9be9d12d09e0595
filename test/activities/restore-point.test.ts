// What goes wrong while a restore point is taken: whatever it is, the live database is as it was and lets the application
// in, and what did not come to its end is no restore point.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DatabaseHost, type LiveState, type Run, startDatabaseHost, until } from '../support/database-host.js'
import { type SmallDisk, smallDisk } from '../support/small-disk.js'

let disk: SmallDisk
let host: DatabaseHost
let before: LiveState
let run: Run

beforeAll(async () => {
  disk = smallDisk(24)
  host = await startDatabaseHost(schema, { backupsIn: disk.path })
})
afterAll(async () => {
  await host?.stop()
  disk?.remove()
})
beforeEach(async () => {
  before = await host.state()
  run = await host.run()
})
afterEach(async () => {
  await host.endSessions()
  expect(await host.state()).toEqual(before)
})

// What cannot be compressed: some 4 MB.
const schema = `create table orders as select i, array_to_string(array(select md5((i * 40 + j)::text) from generate_series(1, 40) j), '')
  as note from generate_series(1, 5000) i;
create table small (i int primary key)`

const take = (tries = 1) => run.take(tries)
const shelf = () => readdirSync(host.backups).filter((name) => name.includes(run.safety) && !name.startsWith('.'))
const dumps = () => shelf().filter((name) => name.startsWith('db_') || name.startsWith('manifest_'))

// A lock is waited for three times.
describe('a dump', { timeout: 90_000 }, () => {
  test('for which the disk has no room is none, says so, and is taken when there is room again', async () => {
    disk.fill(1_500_000)
    await expect(take()).rejects.toMatchObject({ type: 'StepFailed', message: expect.stringContaining('disk is full') })
    expect(dumps()).toEqual([])
    disk.fill(Infinity)
    await take(2)
    expect(host.manifest(run.safety)).toMatchObject({ state: 'taken' })
  })

  test('that the server died under is taken again, from its beginning', async () => {
    await locked('orders')
    const taken = take()
    await until(host.waits)
    await host.server.crash()
    await taken
    await host.server.query(host.live, 'select')
    await provenNow()
  })

  test('gives way to a lock in a while, is in nobody’s way meanwhile, and is tried again', async () => {
    const holder = await locked('small')
    const taken = take()
    await until(host.waits)
    expect(await host.server.query(host.live, 'select from orders limit 1')).toHaveLength(1)
    await until(() => saidSoFar().includes('locks table small'))
    await holder.query('rollback')
    await taken
    await provenNow()
  })

  test('for which a lock came free just when it had given up is tried again', async () => {
    const holder = await locked('small')
    const taken = take()
    await until(host.waits)
    await until(async () => !(await host.waits()))
    await holder.query('rollback')
    await taken
    expect(saidSoFar()).toMatch(/a table was locked meanwhile|locks table small/)
  })

  test('says whose lock it was where that is never given back', async () => {
    const holder = await locked('small')
    const { rows } = await holder.query('select pg_backend_pid() as pid')
    await expect(take()).rejects.toMatchObject({
      type: 'StepFailed',
      message: expect.stringContaining(`session ${rows[0].pid} locks table small`),
    })
    expect(dumps()).toEqual([])
  })

  test('that a role without a right to all rows would take is none, rather than one of some rows', async () => {
    await host.server.query(host.live, 'alter table small enable row level security')
    await host.server.query('postgres', 'alter role keeper nosuperuser; grant pg_read_all_data to keeper')
    const failed = (await take().catch((error: unknown) => error)) as Error
    await host.server.query('postgres', 'alter role keeper superuser')
    await host.server.query(host.live, 'alter table small disable row level security')
    const [, printed = ''] = /on the host: (.*)$/m.exec(failed.message)!
    expect(readFileSync(printed, 'utf8')).toContain('row-level security')
    expect(dumps()).toEqual([])
  })

  test('that is suspiciously smaller than the one before is kept, and doubted', async () => {
    await take()
    expect(host.manifest(run.safety)).not.toHaveProperty('small')
    await host.server.query(host.live, 'delete from orders where i > 10')
    before = await host.state()
    run = await host.run()
    const small = expect.stringContaining('is suspiciously small')
    expect(await take()).toMatchObject({ detail: small })
    expect(host.manifest(run.safety)).toMatchObject({ state: 'taken', small })
  })
})

/** Nothing but a restore tells that it is whole. */
async function provenNow(): Promise<void> {
  await run.act('proveRestorePoint', { from: run.safety, keepCopy: false })
  expect(host.manifest(run.safety)).toMatchObject({ state: 'proven' })
}

/** By the job of the dump, while it runs. */
function saidSoFar(): string {
  const job = join(host.backups, `.stepback/shop/jobs/${run.run8}.0-takeRestorePoint.do.1.dump`)
  return existsSync(job) ? readFileSync(join(job, 'err.1'), 'utf8') : ''
}

/** A session that keeps everybody else from a table. */
async function locked(table: string): Promise<pg.Client> {
  const client = await host.session()
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return client
}
