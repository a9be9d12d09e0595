import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Host } from '../../../src/adapters/host.js'
import type { SshConnection } from '../../../src/adapters/ssh.js'
import { until } from '../../host/ground.js'
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

/** Brings the helper there: where nothing was begun, a look goes without it. */
async function begin(host: Host): Promise<void> {
  const holder = { workflowId: 'rollback-shop-1', runId: 'r', namespace: 'default', kind: 'rollback' } as const
  expect(await host.acquire({ holder, mayTake: async () => undefined })).toMatchObject({ outcome: 'acquired' })
}

test('a look answers on a disk without a byte left, though nothing can be done there', async () => {
  const connection = await sshd.connect()
  const host = new Host({ ssh: async () => connection, stateDirectory: join(disk.path, 'state') })
  await begin(host)
  const script = "printf 'größe'; printf err >&2; exit 3"
  const seen = { exitCode: 3, stdout: 'größe', stderr: 'err' }
  expect(await host.look({ script })).toEqual(seen)
  disk.fill(0)
  expect(() => writeFileSync(join(disk.path, 'more'), 'x'.repeat(9_000))).toThrow('ENOSPC')
  expect(await host.look({ script })).toEqual(seen)
  await expect(host.runJob({ id: 'job', token: 1, script: ':' })).rejects.toThrow('disk full')
})

test.each(['dash', 'bash', 'busybox sh'])(
  'a look in %s is a script of its own, with no words and nothing to read',
  async (shell) => {
    const connection = await sshd.connect()
    const host = new Host({ ssh: async () => connection, stateDirectory: join(sshd.directory, `own-${shell}`), shell })
    const script = [
      `set -u; echo "$# größe"`,
      'for f in none; do set -- "$@" "$f"; done; echo "$# $1"',
      'cat; exit 4',
      '',
    ].join('\n')
    await begin(host)
    const seen = { exitCode: 4, stdout: '0 größe\n1 none\n', stderr: '' }
    expect(await host.look({ script })).toEqual(seen)
  },
)

test('a look answers where the helper finds no place, and whatever changes something says so', async () => {
  const connection = await sshd.connect()
  const stateDirectory = join(sshd.directory, 'no-place')
  mkdirSync(stateDirectory)
  writeFileSync(join(stateDirectory, 'lease'), 'a file where a directory should be')
  const host = new Host({ ssh: async () => connection, stateDirectory })
  expect(await host.look({ script: 'echo found\n' })).toEqual({ exitCode: 0, stdout: 'found\n', stderr: '' })
  await expect(host.readLease()).rejects.toThrow('the helper cannot be put into')
})

test.each([4, 5])('of an answer that is lost %i times the fifth is asked for, and no sixth', async (losses) => {
  const where = (name: string) => join(sshd.directory, `${name}-${losses}`)
  writeFileSync(where('asked'), '')
  let connection: SshConnection | undefined
  const ssh = async () => (connection = connection && !connection.closed ? connection : await sshd.connect())
  const host = new Host({ ssh, stateDirectory: where('state') })
  expect(await host.linksExclusively()).toBe(true)
  // What is asked last may outlive its test, but not the test's directory.
  const waits = `until [ -e ${where('go')} ] || [ ! -e ${where('asked')} ]; do sleep 0.1; done`
  const looking = host.look({ script: `echo asked >>${where('asked')}; ${waits}; echo found\n` })
  looking.catch(() => {}) // awaited below
  for (let times = 1; times <= losses; times++) {
    await until(() => readFileSync(where('asked'), 'utf8') === 'asked\n'.repeat(times))
    connection!.destroy()
  }
  if (losses === 5) await expect(looking).rejects.toMatchObject({ type: 'Unreachable' })
  writeFileSync(where('go'), '')
  if (losses === 4) expect(await looking).toEqual({ exitCode: 0, stdout: 'found\n', stderr: '' })
})
