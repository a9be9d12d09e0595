// Migrations that meet somebody: locks that are not given, a server that dies, and an undo that would lose what the
// application wrote since.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DatabaseHost, type LiveState, type Run, startDatabaseHost, until } from '../support/database-host.js'

const notes = 'm1_notes1700000000001'
const totals = 'm2_totals1700000000002'
// The first one writes by itself, the down of the second one in a way that nobody can count.
const code = `
class Notes {
  name = '${notes}'
  async up(runner) {
    await runner.query(\`create table notes (i int); insert into notes values (1), (2), (3);
      alter table orders add column mark text; update orders set mark = 'of the migration' where i <= 2\`)
  }
  async down(runner) { await runner.query('drop table notes; alter table orders drop column mark') }
}
class Totals {
  name = '${totals}'
  async up(runner) { await runner.query('alter table orders add column total int') }
  async down(runner) { await runner.query('update orders set i = i where total > 0; alter table orders drop column total') }
}
export const migrations = [Notes, Totals]
`

let directory: string
let host: DatabaseHost
let before: LiveState
let run: Run

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stepback-migrations-'))
  writeFileSync(join(directory, 'migrations.mjs'), code)
  host = await startDatabaseHost('create table orders as select i from generate_series(1, 10) i', {
    database: { migrations: join(directory, 'migrations.mjs') },
  })
})
afterAll(async () => {
  await host?.stop()
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => {
  before = await host.state()
  run = await host.run()
  await run.take()
})
afterEach(async () => {
  await host.endSessions()
  await down([totals], Number.MAX_SAFE_INTEGER)
  await down([notes], Number.MAX_SAFE_INTEGER)
  // The record of migrations stays, as it does after every down.
  const lines = (it: LiveState) => it.lines.filter((line) => !line.includes('"migrations"'))
  expect(lines(await host.state())).toEqual(lines(before))
})

const up = (names: readonly string[], attempt = 1) => run.act('migrateUp', { migrations: names }, { attempt })
const down = (names: readonly string[], mayLoseRows: number) =>
  run.act('migrateDown', { migrations: names, mayLoseRows }, { undoes: 'migrateUp' })

describe('a migration', { timeout: 60_000 }, () => {
  test('gives way to a transaction that holds a lock, keeps nobody else waiting longer, and is done later', async () => {
    const holder = await host.session()
    await holder.query('begin; select from orders')
    const failed = up([notes]).catch((error: unknown) => error)
    await until(host.waits)
    // Queues behind the migration, and goes on when that gives way: the holder still holds.
    expect(await host.server.query(host.live, 'select from orders limit 1')).toHaveLength(1)
    expect(await failed).toMatchObject({ type: 'Busy' })
    expect((await host.state()).lines).toEqual(before.lines)
    await holder.query('commit')
    expect(await up([notes], 2)).toMatchObject({ detail: 'applied m1_notes' })
  })

  test('that the server died under is applied by the next attempt', async () => {
    const holder = await host.session()
    await holder.query('begin; select from orders')
    const failed = up([notes]).catch((error: unknown) => error)
    await until(host.waits)
    await host.server.crash()
    expect(await failed).toMatchObject({ type: 'Unreachable' })
    expect((await host.state()).lines).toEqual(before.lines)
    expect(await up([notes], 2)).toMatchObject({ detail: 'applied m1_notes' })
  })
})

describe('the undo of a migration by its down', { timeout: 60_000 }, () => {
  test('loses what the migration wrote itself, without asking', async () => {
    await up([notes])
    expect(await down([notes], 0)).toMatchObject({ detail: 'reverted m1_notes' })
  })

  test('loses no more rows and values of the application than it may, and does nothing beyond', async () => {
    await up([notes])
    await host.server.query(host.live, `insert into notes values (4), (5); update orders set mark = 'ours' where i = 9`)
    const after = await host.state()
    const failed = (await down([notes], 2).catch((error: unknown) => error)) as { details: unknown[] }
    expect(failed).toMatchObject({
      type: 'ExposureExceeded',
      message: 'the downs would lose 2 rows and 1 value of columns, and 2 are allowed; nothing was reverted',
    })
    const lost = [
      { table: 'notes', deleted: 2, method: 'exact' },
      { table: 'orders', column: 'mark', deleted: 1 },
    ]
    expect(failed.details).toMatchObject([{ asks: 'approval', exposure: { total: 2, tables: lost } }])
    expect(await host.state()).toEqual(after)
    await down([notes], 3)
  })

  test('asks where nobody can count what it changes', async () => {
    await up([totals])
    await expect(down([totals], 1_000)).rejects.toMatchObject({
      type: 'ExposureExceeded',
      message: expect.stringContaining('lose rows that the downs change, and 1000'),
    })
  })

  test('does not ask where it was tried on a copy, and came out as it was', async () => {
    await run.act('proveRestorePoint', { from: run.safety, keepCopy: false, rehearse: [totals] })
    await up([totals])
    expect(await down([totals], 0)).toMatchObject({ detail: 'reverted m2_totals' })
  })
})
