// Rows that come along when the database goes back, done as the activities do it: rehearsed, carried, exchanged.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DatabaseHost, type Run, startDatabaseHost } from '../support/database-host.js'

let host: DatabaseHost
let run: Run
let point: string

beforeAll(async () => {
  host = await startDatabaseHost(schema)
})
afterAll(() => host?.stop())

const schema = `drop table if exists books, authors; create table authors (id serial primary key, name text unique);
create table books (id serial primary key, author int not null references authors, title text);
insert into authors (name) values ('a'), ('b'); insert into books (author, title) values (1, 'one'), (2, 'two');
alter table authors owner to application; alter table books owner to application`

/** A restore point, proven, and a release since that wrote some. */
beforeEach(async () => {
  await write(schema)
  const earlier = await host.run()
  await earlier.take()
  await earlier.act('proveRestorePoint', { from: earlier.safety, keepCopy: true })
  point = earlier.safety
  await write(`alter table books add column engine text; insert into authors (name) values ('c')`)
  await write(`insert into books (author, title, engine) values (1, 'three', 'v2'), (3, 'four', null)`)
  run = await host.run()
})

const write = (text: string) => host.server.query(host.live, text)
const warm = () => host.manifest(point).database!.warm!
const titles = async () =>
  (await host.server.query<{ title: string }>(host.live, 'select title from books order by title')).map(
    (it) => it.title,
  )
const visits = async () =>
  await host.server.query('postgres', `select sessions from pg_stat_database where datid = ${warm().oid}`)

const build = () => run.act('restoreDatabase', { from: point, copyOf: { name: warm().name, oid: warm().oid } })
const carry = (tables: readonly string[] | 'all' = 'all', attempt = 1) =>
  run.act('carryForward', { from: point, tables }, { attempt })
const swap = (mayLoseRows: number, tables: readonly string[] | 'all' = 'all', attempt = 1) =>
  run.act('swapDatabase', { from: point, mayLoseRows, carries: tables }, { attempt })

describe('rows since', { timeout: 60_000 }, () => {
  test('are tried on a copy of the warm copy that goes again, and neither that nor the live one notices', async () => {
    const [before, seen, all] = [await host.state(), await visits(), await host.databases()]
    await build()
    expect((await run.act('rehearseCarry', { from: point, tables: 'all' })).detail).toBe(
      'authors: 1 carried, 0 conflicting, 0 not fitting (exact) | books: 2 carried, 0 conflicting, 0 not fitting (exact): 1 without engine',
    )
    await run.act('dropNewDatabase', {})
    expect([await host.state(), await visits(), await host.databases()]).toEqual([before, seen, all])
  })

  test('come along, once, are listed where they lose something, and what is written until the exchange comes, too', async () => {
    const [before, seen] = [await host.state(), await visits()]
    await build()
    const { detail } = await carry()
    expect(detail).toMatch(/books: 2 carried.*; 1 listed in .*left_.*\.jsonl, sha256 [0-9a-f]{64}$/)
    expect((await carry('all', 2)).detail).toBe(detail)
    await write(
      `insert into books (author, title) values (3, 'five'); update books set title = 'for' where title = 'four'`,
    )
    await swap(0)
    expect((await host.state()).oid).not.toBe(before.oid)
    expect(await titles()).toEqual(['five', 'for', 'one', 'three', 'two'])
    const file = join(host.backups, `left_${run.safety}.jsonl`)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kind: 'cut', row: { title: 'three', engine: 'v2' } })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await write(`set role application; insert into books (author, title) values (3, 'next')`)
    expect(await visits()).toEqual(seen)
    const [owner] = await host.server.query(
      'postgres',
      `select pg_get_userbyid(datdba) as owner from pg_database where datname = $1`,
      [host.live],
    )
    expect(owner).toEqual({ owner: 'application' })
  })

  test('that do not come along go back to the gate, with the database open, and are lost only where that is approved', async () => {
    const before = await host.state()
    await build()
    await carry(['books'])
    await expect(swap(1, ['books'])).rejects.toMatchObject({
      type: 'ExposureExceeded',
      message: expect.stringContaining('2 rows would be lost, and 1 are allowed'),
    })
    expect(await host.state()).toEqual(before)
    await swap(2, ['books'], 2)
    expect(await titles()).toEqual(['one', 'three', 'two'])
    await run.act('swapDatabaseBack', {}, { undoes: 'swapDatabase' })
    await run.act('dropNewDatabase', {}, { undoes: 'restoreDatabase' })
    expect(await host.state()).toEqual(before)
  })

  test('of the database that came are carried back into a copy of the one that was kept, told by their keys', async () => {
    await run.act('takeRestorePoint', { version: '2.1.0', database: 'kept', head: null, paths: [] })
    await run.act('restoreDatabase', { from: point })
    await run.act('swapDatabase', { from: point, mayLoseRows: 3 })
    // The first takes the number of one that the kept database has, and is lost; the second comes along.
    await write(`insert into books (author, title) values (1, 'lost')`)
    await write(`insert into books (id, author, title) values (77, 1, 'kept')`)
    const { safety: from } = run
    const kept = host.manifest(from).kept!
    run = await host.run()
    await run.act('restoreDatabase', { from, copyOf: kept })
    const { detail } = await run.act('carryForward', { from, tables: ['books'], since: point })
    expect(detail).toContain('books: 1 carried, 0 conflicting, 0 not fitting (by key)')
    const back = (mayLoseRows: number, attempt: number) =>
      run.act('swapDatabase', { from, since: point, mayLoseRows, carries: ['books'] }, { attempt })
    await expect(back(0, 1)).rejects.toMatchObject({ message: expect.stringContaining('1 row would be lost') })
    await back(1, 2)
    expect(await titles()).toEqual(['four', 'kept', 'one', 'three', 'two'])
    expect(await host.databases()).toContain(`(${kept.name})`)
  })

  test('that were carried count as lost by whoever goes back behind it', async () => {
    await build()
    await carry()
    await swap(0)
    run = await host.run()
    await run.act('restoreDatabase', { from: point })
    await expect(run.act('swapDatabase', { from: point, mayLoseRows: 0 })).rejects.toMatchObject({
      message: expect.stringContaining('3 rows would be lost'),
    })
    await run.act('dropNewDatabase', {}, { undoes: 'restoreDatabase' })
  })
})
