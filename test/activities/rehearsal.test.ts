// What a rehearsal starts on the host, attempt by attempt; the host is a list of what it was told.

import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import type { ActContext } from '../../src/activities/context.js'
import { rehearsalJobs, rehearse } from '../../src/activities/rehearsal.js'
import { StepbackError } from '../../src/plan/failure.js'
import type { Manifest } from '../../src/plan/manifest.js'

const database = { name: 'shop', service: 'db', user: { envFile: 'DB_USER' }, password: { envFile: 'DB_PASSWORD' } }
const container = {
  Id: 'c0ffee',
  State: { Running: true },
  Config: { Labels: { 'com.docker.compose.service': 'db' } },
}

async function tried(attempt: number, failing: readonly string[] = []) {
  const told: string[] = []
  const context = {
    target: { name: 'shop', directory: '/srv/shop', compose: { envFile: '.env' }, database },
    look: async () => 'DB_USER=shop\nDB_PASSWORD=secret\n',
    inspected: async () => [container],
    token: 1,
    run8: '0123abcd',
    endJobs: async (names: readonly string[]) => void told.push(...names.map((name) => `end ${name}`)),
    job: async (name: string) => {
      told.push(name)
      if (failing.includes(name)) throw new StepbackError({ type: 'StepFailed', message: `${name} failed` })
      return ''
    },
  } as unknown as ActContext
  const manifest = { database: { properties: { owner: 'shop' } } } as Manifest
  const environment = new MockActivityEnvironment({ attempt })
  const input = { copyOf: 'shop__warm_0123abcd', manifest, migrations: ['a001'] }
  const { words } = (await environment.run(() => rehearse(context, input))) as Awaited<ReturnType<typeof rehearse>>
  expect(rehearsalJobs).toEqual(expect.arrayContaining(told.map((it) => it.replace('end ', ''))))
  return { told, words }
}

test('a copy that could not be made whole is dropped all the same', async () => {
  const { told, words } = await tried(1, ['copy1'])
  expect(told).toEqual(['copy1', 'uncopy1'])
  expect(words).toEqual(['its migrations could not be tried: copy1 failed'])
})

test('an attempt ends what those before it left at work', async () => {
  const { told } = await tried(3, ['copy3'])
  expect(told).toEqual(['end copy1', 'end uncopy1', 'end copy2', 'end uncopy2', 'copy3', 'uncopy3'])
})

test.each([4, 9])('where too many attempts died, attempt %i drops the copy of the last one', async (attempt) => {
  const { told, words } = await tried(attempt)
  expect(told.slice(-2)).toEqual(['end uncopy3', 'uncopy4'])
  expect(words).toEqual(['its migrations could not be tried: its attempts died'])
})
