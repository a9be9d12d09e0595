// When the lease of somebody who is gone may be taken: asked of a real host.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isExpired } from '../../src/activities/lease-judge.js'
import { callHelper, linesOf } from '../../src/adapters/host/helper.js'
import { Host, type LeaseState } from '../../src/adapters/host.js'
import { type Sshd, startSshd } from '../support/sshd.js'

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd.stop())

test('that of a script is its own as long as it lives, and for a while longer, in which it may be started again', async () => {
  const connection = await sshd.connect()
  const options = { ssh: async () => connection, stateDirectory: join(sshd.directory, 'state'), shell: '/bin/sh' }
  const host = new Host(options)
  const script = spawn('sleep', ['600'])
  const who = linesOf(await callHelper({ options, words: ['who', script.pid!] })).get('is')![0]!
  const holder = {
    workflowId: 'restore_1.sh',
    runId: `${script.pid}.${who}-0123abcd`,
    namespace: '',
    kind: 'script',
  } as const
  const state = (unrenewedSeconds: number, changes: Partial<LeaseState> = {}): LeaseState => ({
    number: 1,
    holder,
    takenAt: undefined,
    unrenewedSeconds,
    livingJobs: [],
    ...changes,
  })
  expect(await isExpired(host, state(600))).toBe(false)
  script.kill('SIGKILL')
  await new Promise((resolve) => script.once('exit', resolve))
  expect(await isExpired(host, state(60))).toBe(false)
  expect(await isExpired(host, state(120))).toBe(true)
  expect(await isExpired(host, state(120, { livingJobs: ['a job'] }))).toBe(false)
  expect(await isExpired(host, state(120, { holder: { ...holder, kind: 'adoption' } }))).toBe(false)
  expect(await isExpired(host, state(901, { holder: { ...holder, kind: 'adoption' } }))).toBe(true)
})
