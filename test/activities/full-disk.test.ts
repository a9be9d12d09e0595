// A server whose disk fills up while a dump is restored beside the live database. It is ended before the disk is full: a
// full one would end the server itself, and the live database with it.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DatabaseHost, type LiveState, type Run, startDatabaseHost } from '../support/database-host.js'
import { type SmallDisk, smallDisk } from '../support/small-disk.js'

let disk: SmallDisk
let host: DatabaseHost
let before: LiveState
let run: Run

beforeAll(async () => {
  disk = smallDisk(200)
  host = await startDatabaseHost(schema, { serverIn: disk.path, target: { disk: { freeBytes: 100_000_000 } } })
})
afterAll(async () => {
  await host?.stop()
  disk?.remove()
})
beforeEach(async () => {
  disk.fill(Infinity)
  before = await host.state()
  run = await host.run()
  await run.take()
  return async () => {
    expect(await host.state()).toEqual(before)
    expect(await host.databases()).toEqual([host.live])
  }
})

// Slow to be restored, as a large one is.
const schema = `create function quick(int) returns bool language sql as 'select true';
create table orders as select i from generate_series(1, 3) i; alter table orders add check (quick(i));
create or replace function quick(int) returns bool language plpgsql as 'begin perform pg_sleep(60); return true; end'`

const full = { type: 'StepFailed', message: expect.stringContaining('the disk is full') }
const nearlyFull = 40_000_000

/** Fills the disk when rows are being restored. */
async function fillMeanwhile(): Promise<void> {
  const restoring = `select from pg_stat_activity where query like 'COPY%'`
  while ((await host.server.query('postgres', restoring)).length === 0) await sleep(20)
  disk.fill(nearlyFull)
}

describe('a disk that fills up', { timeout: 60_000 }, () => {
  test('ends a proof, which condemns nothing and leaves nothing', async () => {
    const proof = run.act('proveRestorePoint', { from: run.safety, keepCopy: true })
    await Promise.all([expect(proof).rejects.toMatchObject(full), fillMeanwhile()])
    expect(host.manifest(run.safety)).toMatchObject({ state: 'taken', doubt: expect.stringContaining('disk is full') })
  })

  test('ends a restore, whose undo drops what it left', async () => {
    const restore = run.act('restoreDatabase', { from: run.safety })
    await Promise.all([expect(restore).rejects.toMatchObject(full), fillMeanwhile()])
    await run.act('dropNewDatabase', {}, { undoes: 'restoreDatabase' })
  })

  test('lets nothing begin when it is full, and all when there is room again', async () => {
    await host.server.query(
      host.live,
      `create or replace function quick(int) returns bool language sql as 'select true'`,
    )
    run = await host.run()
    await run.take()
    before = await host.state()
    disk.fill(nearlyFull)
    await expect(run.act('proveRestorePoint', { from: run.safety, keepCopy: true })).rejects.toMatchObject(full)
    // Room for a proof, and not for what it leaves beside a further one.
    disk.fill(100_000_000)
    const proven = await run.act('proveRestorePoint', { from: run.safety, keepCopy: true }, { tries: 2 })
    expect(proven.detail).toContain('no room to keep the copy')
    expect(host.manifest(run.safety)).toMatchObject({ state: 'proven' })
    expect(host.manifest(run.safety)).not.toHaveProperty('doubt')
  })
})
