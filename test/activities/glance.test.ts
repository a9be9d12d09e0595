import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment, defaultActivityInfo } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Glance, freeLease, glance, isStill } from '../../src/activities/observe/glance.js'
import type { Look } from '../../src/activities/observe/look.js'

let root: string
let lease: { readonly number: number; readonly holder?: object }

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "stepback it's a glance "))
  for (const name of ['bin', 'shop', 'shop/configs', 'backups']) mkdirSync(join(root, name))
  writeFileSync(join(root, 'bin/docker'), `#!/bin/sh\ncat '${root.replaceAll("'", "'\\''")}/containers'\n`)
  chmodSync(join(root, 'bin/docker'), 0o755)
  write('containers', 'c1 running\nc2 exited\n')
  write('shop/compose.yml', 'services: {}\n')
  write('shop/.env', 'PORT=1\n')
  write('shop/configs/models.yaml', 'small\n')
  write('backups/manifest_1.json', '{}')
  lease = { number: 4 }
})
afterEach(() => rmSync(root, { recursive: true }))

function write(name: string, text: string): void {
  writeFileSync(join(root, name), text)
}

function look(): Look {
  const env = { PATH: `${join(root, 'bin')}:${process.env['PATH']}` }
  const ask = (script: string) => {
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { env, encoding: 'utf8' })
    return { exitCode: status, stdout, stderr }
  }
  const well = ({ exitCode, stdout }: ReturnType<typeof ask>) => {
    if (exitCode !== 0) throw new Error(`exit status ${exitCode}`)
    return stdout
  }
  const listed = (line: string) => ({ id: line.split(' ')[0], state: line.split(' ')[1], project: 'shop' })
  return {
    target: {
      directory: join(root, 'shop'),
      backups: join(root, 'backups'),
      managed: ['configs', 'nowhere'],
      compose: { project: 'shop', files: ['compose.yml'], envFile: '.env' },
    },
    host: { readLease: async () => lease },
    try: async (script: string) => ask(script),
    look: async (script: string) => well(ask(script)),
    // Every container of the host, whosever it is.
    listed: async () => [
      { id: 'c0', state: 'running', project: 'other' },
      ...well(ask('docker ps')).trimEnd().split('\n').map(listed),
    ],
  } as unknown as Look
}

/** As an activity that the server scheduled then, in milliseconds. */
async function at<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const info = { ...defaultActivityInfo, currentAttemptScheduledTimestampMs: ms }
  return (await new MockActivityEnvironment(info).run(work)) as T
}

async function seen(): Promise<Glance> {
  return await at(10_000, async () => await glance(look(), (await freeLease(look()))!))
}

async function still(before: Glance, { token = 5, ms = 11_000 } = {}): Promise<boolean> {
  return await at(ms, () => isStill(look(), { ...before, token }))
}

test('a target that nobody touched is as it was', async () => {
  expect(await still(await seen())).toBe(true)
})

describe('it is another one where', () => {
  test.each([
    ['a container was made anew', () => write('containers', 'c3 running\nc2 exited\n')],
    ['a container ended', () => write('containers', 'c1 exited\nc2 exited\n')],
    ['a compose file has other words', () => write('shop/compose.yml', 'services: []\n')],
    ['the environment file has another value', () => write('shop/.env', 'PORT=2\n')],
    ['a managed file was changed', () => write('shop/configs/models.yaml', 'large\n')],
    ['a managed file may be run', () => chmodSync(join(root, 'shop/configs/models.yaml'), 0o755)],
    ['a managed file came', () => write('shop/configs/more.yaml', '')],
    ['what was not there is', () => mkdirSync(join(root, 'shop/nowhere'))],
    ['a restore point is gone', () => rmSync(join(root, 'backups/manifest_1.json'))],
    ['Docker does not answer', () => write('bin/docker', '#!/bin/sh\nexit 1\n')],
    ['the project is gone', () => rmSync(join(root, 'shop'), { recursive: true })],
  ])('%s', async (_what, change) => {
    const before = await seen()
    change()
    expect(await still(before)).toBe(false)
  })

  test('somebody held the lease in between, whatever it looks like', async () => {
    expect(await still(await seen(), { token: 7 })).toBe(false)
  })

  test('it was looked at too long ago for a person to have changed nothing, or by a clock that went back', async () => {
    const before = await seen()
    expect(await still(before, { ms: 15_000 })).toBe(true)
    expect(await still(before, { ms: 15_001 })).toBe(false)
    expect(await still(before, { ms: 9_999 })).toBe(false)
  })
})

test('there is no lease to go by while somebody holds it', async () => {
  lease = { number: 4, holder: {} }
  expect(await freeLease(look())).toBeUndefined()
})

test('nothing is known of a target that cannot be looked at', async () => {
  write('bin/docker', '#!/bin/sh\nexit 1\n')
  await expect(at(10_000, () => glance(look(), 4))).rejects.toThrow('exit status 1')
})
