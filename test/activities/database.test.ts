// Going back by another database, and what goes wrong on the way. The live one is at each end exactly as it was, or
// exactly the restore point's, and lets the application in.

import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TargetDatabase } from '../../src/adapters/database.js'
import type { Shown } from '../../src/plan/plan.js'
import { type DatabaseHost, type LiveState, type Run, startDatabaseHost, until } from '../support/database-host.js'

const long = `größe "of" $(the) shop's database, which has a name of 63 byt`
const table = `a_table_of_as_many_bytes_as_a_name_may_have_which_is_no_less_63`

let host: DatabaseHost
let before: LiveState
let run: Run

beforeAll(async () => {
  host = await startDatabaseHost(schema, { live: long })
})
afterAll(() => host?.stop())
beforeEach(async () => {
  before = await host.state()
  run = await host.run()
  await run.take()
})
afterEach(async () => {
  await host.endSessions()
  expect((await host.state()).lines).toEqual(before.lines)
})

const schema = `
create table ${table} (i int, note text);
insert into ${table} select i, md5(i::text) from generate_series(1, 20000) i; insert into ${table} values (1, null), (1, null);
create table secrets (owner text, secret text); alter table secrets enable row level security, force row level security;
create policy own on secrets using (owner = current_user); insert into secrets values ('application', 'a'), ('else', 'b');
grant select on secrets to application;
create table parts (day date, n int) partition by range (day);
create table parts_then partition of parts for values from ('2026-01-01') to ('2026-02-01');
create table parts_else partition of parts default;
insert into parts values ('2026-01-05', 1), ('2027-01-01', 2); grant select on parts to application;
create materialized view sums as select count(*) as n from ${table}; create unique index on sums (n);
grant select on sums to application;
select lo_from_bytea(4711, '\\x00ff27'); grant select on large object 4711 to application;
create function let_go(int) returns bool language plpgsql as 'begin
  while exists (select from pg_stat_activity where application_name = $$hold$$) loop
    perform pg_sleep(0.05), pg_stat_clear_snapshot();
  end loop; return true; end';
create table held (i int check (let_go(i))); insert into held values (1)`

const copy = () => host.manifest(run.safety).database!.warm!
const prove = () => run.act('proveRestorePoint', { from: run.safety, keepCopy: true })
const swap = (attempt = 1) => run.act('swapDatabase', { from: run.safety, mayLoseRows: 0, ready: copy() }, { attempt })
/** Databases of this run. */
const made = async () => (await host.databases()).filter((name) => name.includes(run.run8))
const isLive = async () => (await host.state()).oid

describe('a database that is built beside the live one', { timeout: 60_000 }, () => {
  test('has all that is in it, whatever its names and kinds, and goes back as it came', async () => {
    expect([long, table].map((name) => Buffer.byteLength(name))).toEqual([63, 63])
    await run.act('restoreDatabase', { from: run.safety })
    await run.act('swapDatabase', { from: run.safety, mayLoseRows: 0 })
    const after = await host.state()
    expect(after.lines).toEqual(before.lines)
    expect(after.oid).not.toBe(before.oid)
    const application = await host.session('application')
    const seen = await application.query(
      `select (select array_agg(secret) from secrets) as secrets, (select sum(n)::int from parts) as parts,
       (select n::int from sums) as sums, encode(lo_get(4711), 'hex') as object`,
    )
    expect(seen.rows).toEqual([{ secrets: ['a'], parts: 3, sums: 20_002, object: '00ff27' }])
    expect(await made()).toEqual([expect.stringMatching(/__before_\w{8}_\w{6}\)$/)])
    await run.act('swapDatabaseBack', {}, { undoes: 'swapDatabase' })
    await run.act('dropNewDatabase', {}, { undoes: 'restoreDatabase' })
    expect(await host.state()).toEqual(before)
    expect(await made()).toEqual([])
  })

  test('is none where the dump was cut, and nothing of it stays', async () => {
    const dump = join(host.backups, `db_${run.safety}.dump`)
    truncateSync(dump, readFileSync(dump).length - 100)
    await expect(run.act('restoreDatabase', { from: run.safety })).rejects.toMatchObject({ type: 'StepFailed' })
    await run.act('dropNewDatabase', {}, { undoes: 'restoreDatabase' })
    expect(await made()).toEqual([])
    expect(await host.state()).toEqual(before)
  })

  test('is built anew where the server died under it', async () => {
    // Its rows wait for this session, which dies with the server.
    const holder = await host.session('postgres', 'postgres')
    await holder.query(`set application_name to 'hold'`)
    const built = run.act('restoreDatabase', { from: run.safety })
    const filling = `select from pg_stat_activity where query like 'COPY public.held%'`
    await until(async () => (await host.server.query('postgres', filling)).length > 0)
    await host.server.crash()
    expect(await built).toMatchObject({ detail: expect.stringContaining('equal to the manifest') })
    expect(await host.state()).toEqual(before)
    await run.act('dropNewDatabase', {}, { undoes: 'restoreDatabase' })
  })
})

describe('an exchange', { timeout: 60_000 }, () => {
  beforeEach(prove)

  test('that would lose more than it may opens the database again, says what, and is done when it may', async () => {
    await host.server.query(long, `insert into parts values ('2026-01-07', 7), ('2026-01-08', 8)`)
    const written = await host.state()
    const failed = (await swap().catch((error: unknown) => error)) as { details: unknown[] }
    expect(failed).toMatchObject({ type: 'ExposureExceeded', message: expect.stringContaining('2 rows would be lost') })
    const tables = [{ table: 'parts_then', inserted: 2, updated: 0, deleted: 0, method: 'exact' }]
    expect(failed.details).toMatchObject([{ asks: 'approval', exposure: { total: 2, tables } }])
    expect(await host.state()).toEqual(written)
    await run.act('swapDatabase', { from: run.safety, mayLoseRows: 2, ready: copy() }, { tries: 2 })
    expect(await isLive()).toBe(copy().oid)
  })

  test('that was let go on with what was shown is held where more was written since', async () => {
    const shown = await counted()
    await host.server.query(long, `insert into parts values ('2026-01-07', 7)`)
    const args = { from: run.safety, mayLoseRows: null, ready: copy() }
    await expect(run.act('swapDatabase', args, { shown })).rejects.toMatchObject({
      type: 'ExposureExceeded',
      message: expect.stringContaining('1 row would be lost, and 0 are allowed'),
    })
    await run.act('swapDatabase', { ...args, mayLoseRows: 1 }, { shown, tries: 2 })
    expect(await isLive()).toBe(copy().oid)
  })

  test('that a session would not make way for opens the database again, says whose it is, and is done later', async () => {
    const stuck = await stopped()
    await expect(swap()).rejects.toMatchObject({ type: 'Busy', message: expect.stringContaining(String(stuck)) })
    expect(await host.state()).toEqual(before)
    process.kill(stuck, 'SIGCONT')
    await swap(2)
    expect(await isLive()).toBe(copy().oid)
  })

  test('that a prepared transaction would block closes nothing, and is done later', async () => {
    await host.server.query(long, `begin; insert into parts values ('2026-01-06', 9); prepare transaction 'p'`)
    await expect(swap()).rejects.toMatchObject({ type: 'Busy', message: expect.stringContaining('1 prepared') })
    expect(await host.state()).toEqual(before)
    await host.server.query(long, `rollback prepared 'p'`)
    await swap(2)
    expect(await isLive()).toBe(copy().oid)
  })

  test('that the server dies in, with the database closed, is done by the next attempt', async () => {
    await diesWhileClosed()
    await swap(2)
    expect(await isLive()).toBe(copy().oid)
  })

  test('that the server dies in, and its run with it, is as if it had never begun to whoever comes next', async () => {
    await diesWhileClosed()
    await expect(host.server.query(long, 'select')).rejects.toMatchObject({ code: '55000' })
    await host.run()
    expect(await host.state()).toEqual(before)
  })

  test('that the server dies in, between its renames and its end, never was, and is done by the next attempt', async () => {
    const stuck = await stopped()
    const swapped = swap().catch((error: unknown) => error)
    await until(closed)
    const held = await host.session('postgres', 'postgres')
    await held.query('begin; lock table pg_database in share mode')
    process.kill(stuck, 'SIGCONT')
    const waits = `select from pg_stat_activity where wait_event_type = 'Lock' and query like 'alter database%rename%'`
    await until(async () => (await host.server.query('postgres', waits)).length > 0)
    await host.server.crash()
    expect(await swapped).toMatchObject({ type: expect.stringMatching(/Unreachable|Busy/) })
    await expect(host.server.query(long, 'select')).rejects.toMatchObject({ code: '55000' })
    await swap(2)
    expect(await isLive()).toBe(copy().oid)
  })
})

describe('the undo of a migration that cannot be reverted', { timeout: 60_000 }, () => {
  const undo = (name: 'restoreDatabase' | 'swapDatabase', attempt = 1) =>
    run.act(name, { from: run.safety, mayLoseRows: 0 }, { undoes: 'migrateUp', attempt })
  beforeEach(async () => {
    await prove()
    await host.server.query(long, 'create table brought (i int)')
    expect(await undo('restoreDatabase')).toMatchObject({ detail: 'its warm copy stands ready' })
  })

  test('builds the database where the server crashed since, and cannot say that nobody was in the copy', async () => {
    await host.server.crash()
    await undo('swapDatabase')
    expect((await host.state()).lines).toEqual(before.lines)
    expect(await undo('swapDatabase', 2)).toMatchObject({ detail: expect.stringContaining('was swapped already') })
  })
})

/** Nothing would be lost, with the counters of this moment. */
async function counted(): Promise<Shown> {
  const { host: address, port, user, password } = host.server
  const where = { host: address, port, user, password, database: long, applicationName: 'test' }
  const live = await TargetDatabase.connect(where)
  const counters = await live.counters().finally(() => live.end())
  return { exposure: { total: 0, tables: [] }, counters }
}

/** The database is closed, a session is waited for, and then nothing of the server is there any more. */
async function diesWhileClosed(): Promise<void> {
  const stuck = await stopped()
  const swapped = swap().catch((error: unknown) => error)
  await until(closed)
  process.kill(stuck, 'SIGKILL')
  await host.server.crash()
  expect(await swapped).toMatchObject({ type: 'Unreachable' })
}

/** The process of a session that cannot be ended, as one in the depths of the kernel. */
async function stopped(): Promise<number> {
  const client = await host.session('application')
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  process.kill(rows[0]!.pid, 'SIGSTOP')
  return rows[0]!.pid
}

async function closed(): Promise<boolean> {
  const rows = await host.server.query('stepback', `select from stepback.door where state = 'closed'`)
  return rows.length > 0
}
