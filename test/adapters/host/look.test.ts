import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Host } from '../../../src/adapters/host.js'
import { type SmallDisk, smallDisk } from '../../support/small-disk.js'
import { type Sshd, startSshd } from '../../support/sshd.js'

let sshd: Sshd
let disk: SmallDisk
beforeAll(async () => {
  sshd = await startSshd()
  disk = smallDisk(8)
})
afterAll(async () => {
  disk?.remove()
  await sshd?.stop()
})

test('a look answers on a disk without a byte left, though nothing can be done there', async () => {
  const connection = await sshd.connect()
  const host = new Host({ ssh: async () => connection, stateDirectory: join(disk.path, 'state') })
  const holder = { workflowId: 'rollback-shop-1', runId: 'r', namespace: 'default', kind: 'rollback' } as const
  expect(await host.acquire({ holder, mayTake: async () => undefined })).toMatchObject({ outcome: 'acquired' })
  const script = "printf 'größe'; printf err >&2; exit 3"
  const seen = { exitCode: 3, stdout: 'größe', stderr: 'err' }
  expect(await host.look({ script })).toEqual(seen)
  disk.fill(0)
  expect(() => writeFileSync(join(disk.path, 'more'), 'x'.repeat(9_000))).toThrow('ENOSPC')
  expect(await host.look({ script })).toEqual(seen)
  await expect(host.runJob({ id: 'job', token: 1, script: ':' })).rejects.toThrow('disk full')
})

test('a look answers where the helper finds no place, and whatever changes something says so', async () => {
  const connection = await sshd.connect()
  const stateDirectory = join(sshd.directory, 'no-place')
  mkdirSync(stateDirectory)
  writeFileSync(join(stateDirectory, 'lease'), 'a file where a directory should be')
  const host = new Host({ ssh: async () => connection, stateDirectory })
  expect(await host.look({ script: 'echo found\n' })).toEqual({ exitCode: 0, stdout: 'found\n', stderr: '' })
  await expect(host.readLease()).rejects.toThrow('the helper cannot be put into')
})
