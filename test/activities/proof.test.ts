// A restore point is proven by a real restore. Whatever is wrong with it is found there, beside the live database, which
// notices nothing; what is broken is said to be, and no half-made copy stays.

import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Manifest } from '../../src/plan/manifest.js'
import { type DatabaseHost, type LiveState, type Run, startDatabaseHost } from '../support/database-host.js'

let host: DatabaseHost
let before: LiveState
let run: Run

beforeAll(async () => {
  host = await startDatabaseHost(schema, { database: { dumpFormat: 'dump' } })
})
afterAll(() => host?.stop())
beforeEach(async () => {
  before = await host.state()
  run = await host.run()
  await run.take()
})
afterEach(async () => {
  expect(await host.state()).toEqual(before)
  expect(await host.databases()).toEqual([host.live])
})

const schema = `create role reader; create extension pg_trgm;
create table orders as select i, md5(i::text) as note from generate_series(1, 5000) i; grant select on orders to reader;
create index on orders using gin (note gin_trgm_ops)`

const prove = () => run.act('proveRestorePoint', { from: run.safety, keepCopy: true })
const file = () => join(host.backups, `db_${run.safety}.dump`)

describe('a restore point', { timeout: 60_000 }, () => {
  test('is proven again later, beside the copy that stands, which stays what it was', async () => {
    await prove()
    const proven = host.manifest(run.safety)
    expect(proven).toMatchObject({ state: 'warm', database: { warm: { name: `shop__warm_${run.run8}` } } })
    const drill = await host.run()
    await drill.act('proveRestorePoint', { from: run.safety, keepCopy: false })
    expect(host.manifest(run.safety)).toEqual(proven)
    const { name, oid } = proven.database!.warm!
    const args = { copies: [{ name, oid: oid + 1, of: run.safety }] }
    await drill.act('dropCopies', args)
    expect(await host.databases(), 'another of that name').toEqual([host.live, `(${name})`])
    await drill.act('dropCopies', { copies: [{ name, oid, of: run.safety }] }, { tries: 2 })
    expect(host.manifest(run.safety)).toMatchObject({ state: 'proven' })
  })

  test('that another attempt proved keeps its copy, and loses the one that an attempt before tried migrations on', async () => {
    await prove()
    const { name, oid } = host.manifest(run.safety).database!.warm!
    const tried = `shop__new_${run.run8}`
    await host.server.query('postgres', `create database ${tried}`)
    const again = { from: run.safety, keepCopy: true, rehearse: ['a001'] }
    expect(await run.act('proveRestorePoint', again, { attempt: 2 })).toMatchObject({ detail: 'its warm copy stands' })
    expect(await host.databases()).toEqual([host.live, `(${name})`])
    await (await host.run()).act('dropCopies', { copies: [{ name, oid, of: run.safety }] })
  })

  test('stays doubtful for how small it is, proven or not, until somebody accepts that', async () => {
    const small = 'its dump of 1 bytes is suspiciously small'
    rewrite((manifest) => ({ ...manifest, small, doubt: 'its proof failed: the disk is full' }))
    const proof = (more: { readonly accept?: true }) =>
      run.act('proveRestorePoint', { from: run.safety, keepCopy: false, ...more })
    expect(await proof({})).toMatchObject({ detail: expect.stringContaining(small) })
    expect(host.manifest(run.safety)).toMatchObject({ state: 'proven', small })
    expect(host.manifest(run.safety)).not.toHaveProperty('doubt')
    run = { ...run, act: (await host.run()).act }
    await proof({ accept: true })
    expect(host.manifest(run.safety)).not.toHaveProperty('small')
  })

  test('that was damaged since is found broken by a drill, and going back by its copy is left', async () => {
    await prove()
    flip(file())
    const drill = await host.run()
    const failed = drill.act('proveRestorePoint', { from: run.safety, keepCopy: false })
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('another checksum') })
    const { state, database } = host.manifest(run.safety)
    expect([state, database!.warm!.name]).toEqual(['broken', `shop__warm_${run.run8}`])
    await drill.act('dropCopies', { copies: [{ ...database!.warm!, of: run.safety }] })
  })
})

describe('a dump is broken', { timeout: 60_000 }, () => {
  test.each([
    ['of which one bit flipped', () => flip(file()), 'another checksum'],
    ['that was cut', () => truncateSync(file(), readFileSync(file()).length - 100), 'another checksum'],
    ['that is gone', () => rmSync(file()), 'is missing'],
    ['that is empty', () => writeFileSync(file(), ''), 'another checksum'],
  ])('%s', async (_which, damage, why) => {
    damage()
    await expect(prove()).rejects.toMatchObject({ type: 'StepFailed', message: expect.stringContaining(why) })
    expect(host.manifest(run.safety)).toMatchObject({ state: 'broken', doubt: expect.stringContaining(why) })
  })

  test('that is another database’s, whatever its checksum says', async () => {
    const other = await host.run()
    await host.server.query(host.live, 'update orders set note = $$other$$ where i = 1')
    await other.take()
    await host.server.query(host.live, 'update orders set note = md5($$1$$) where i = 1')
    writeFileSync(file(), readFileSync(join(host.backups, `db_${other.safety}.dump`)))
    record()
    run = { ...run, act: other.act }
    await expect(prove()).rejects.toMatchObject({ message: expect.stringContaining('is not what was dumped') })
    expect(host.manifest(run.safety)).toMatchObject({ state: 'broken' })
  })
})

describe('a dump that cannot be restored is doubted, and not condemned', { timeout: 60_000 }, () => {
  test.each([
    ['without a role that it names', { roles: ['reader', 'nobody "here"'] }, 'no role "nobody ""here"""'],
    [
      'without an extension that it names',
      { extensions: [{ name: 'pg_gone', version: '1' }] },
      'the server has no extension pg_gone',
    ],
  ])('%s', async (_why, changes, why) => {
    rewrite(({ database, ...manifest }) => ({ ...manifest, database: { ...database!, ...changes } }))
    await expect(prove()).rejects.toMatchObject({ type: 'StepFailed', message: expect.stringContaining(why) })
    expect(host.manifest(run.safety)).toMatchObject({ state: 'taken', doubt: expect.stringContaining(why) })
  })

  test('where it is damaged in a way that its checksum does not tell', async () => {
    flip(file())
    record()
    await expect(prove()).rejects.toMatchObject({ type: 'StepFailed' })
    expect(host.manifest(run.safety)).toMatchObject({ doubt: expect.stringContaining('proof ') })
  })
})

/** One bit in the middle of it. */
function flip(path: string): void {
  const bytes = readFileSync(path)
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = bytes[middle]! ^ 1
  writeFileSync(path, bytes)
}

/** What lies there is what the manifest says of it. */
function record(): void {
  const sha256 = createHash('sha256').update(readFileSync(file())).digest('hex')
  rewrite((manifest) => ({
    ...manifest,
    files: manifest.files.map((it) => (it.name.endsWith('.dump') ? { ...it, sha256 } : it)),
  }))
}

function rewrite(change: (manifest: Manifest) => Manifest): void {
  const path = join(host.backups, `manifest_${run.safety}.json`)
  writeFileSync(path, JSON.stringify(change(host.manifest(run.safety))))
}
