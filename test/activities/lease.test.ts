// Taking the lease on a real host: when that of somebody who is gone may be taken, and what comes with it.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Deps } from '../../src/activities/deps.js'
import { leaseActivities } from '../../src/activities/lease.js'
import { isExpired } from '../../src/activities/lease-judge.js'
import { type Glance, freeLease, glance } from '../../src/activities/observe/glance.js'
import { Look } from '../../src/activities/observe/look.js'
import { callHelper, linesOf } from '../../src/adapters/host/helper.js'
import { Host, type LeaseState } from '../../src/adapters/host.js'
import type { SshConnection } from '../../src/adapters/ssh.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import { deployPlan } from '../support/plans.js'
import { type Sshd, startSshd } from '../support/sshd.js'

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd.stop())

/** A target without anything, and how the runs of others stand. */
function depsOn(
  connection: SshConnection,
  { directory, others }: { readonly directory: string; readonly others: 'open' | 'closed' },
): Deps {
  const config = parseConfig(
    `targets: { shop: { ssh: { host: shop.test }, directory: ${directory}, backups: ${directory}/backups,
      compose: { project: shop, files: [docker-compose.yml] }, services: { application: [api] } } }`,
    'x.yaml',
  )
  const host = new Host({ ssh: async () => connection, stateDirectory: join(directory, 'backups/.stepback') })
  const hosts = { host: () => host, ssh: async () => connection }
  return { config, hosts, namespace: 'default', runs: { state: async () => others } } as unknown as Deps
}

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

test('a run that rehearsed takes the lease for itself behind that, each once', async () => {
  const connection = await sshd.connect()
  const deps = depsOn(connection, { directory: join(sshd.directory, 'rehearsing'), others: 'open' })
  const host = deps.hosts.host(findTarget(deps.config, 'shop'))
  const lease = leaseActivities(deps)
  const workflowExecution = { workflowId: 'rollback-shop', runId: '00000000-0000-7000-8000-000000000001' }
  const inside = <T>(work: () => Promise<T>) =>
    new MockActivityEnvironment({ workflowExecution, workflowType: 'rollbackWorkflow' }).run(work) as Promise<T>
  const target = 'shop'
  const acquire = (waits: boolean) => inside(() => lease.acquireLease({ target, kind: 'rollback', waits }))
  const finish = (token: number, outcome: string) => inside(() => lease.finishRun({ target, token, outcome }))

  const rehearsal = await acquire(true)
  expect((await acquire(true)).token).toBe(rehearsal.token)
  await finish(rehearsal.token, 'rehearsed')
  await finish(rehearsal.token, 'rehearsed')
  const { token } = await acquire(false)
  expect(token).toBeGreaterThan(rehearsal.token)
  await expect(acquire(true)).rejects.toThrow('the lease was taken over')
  expect((await acquire(false)).token).toBe(token)
  await finish(token, 'done')
  await expect(acquire(false)).rejects.toThrow('the lease was taken over')
  expect((await host.readLease()).holder).toBeUndefined()
})

test('with the lease comes whether the target is as it was planned for; where others left something, it is not', async () => {
  const bin = mkdtempSync(join(tmpdir(), 'stepback-glance-'))
  writeFileSync(join(bin, 'docker'), '#!/bin/sh\n', { mode: 0o755 })
  const server = await startSshd({ path: `${bin}:/usr/bin:/bin` })
  try {
    const connection = await server.connect()
    const directory = join(server.directory, 'project')
    mkdirSync(join(directory, 'backups'), { recursive: true })
    const deps = depsOn(connection, { directory, others: 'closed' })
    const lease = leaseActivities(deps)
    let runs = 0
    const newRun = () => {
      const run = { workflowId: `deploy-${++runs}`, runId: `00000000-0000-7000-8000-00000000000${runs}` }
      const info = { workflowExecution: run, workflowType: 'deployWorkflow', currentAttemptScheduledTimestampMs: 1_000 }
      return <T>(work: () => Promise<T>) => new MockActivityEnvironment(info).run(work) as Promise<T>
    }
    const seen = async () => {
      const look = await Look.at(deps, 'shop')
      return await newRun()(async () => await glance(look, (await freeLease(look)) ?? 0))
    }
    const acquire = async (since: Glance, inside = newRun()) =>
      await inside(() => lease.acquireLease({ target: 'shop', kind: 'deploy', since }))

    const first = newRun()
    const taken = await acquire(await seen(), first)
    expect(taken).toMatchObject({ unchanged: true, debts: [] })
    await first(() => lease.finishRun({ target: 'shop', token: taken.token, outcome: 'done' }))

    const before = await seen()
    writeFileSync(join(directory, 'docker-compose.yml'), 'services: {}\n')
    const second = newRun()
    const changed = await acquire(before, second)
    expect(changed).not.toHaveProperty('unchanged')
    // It dies behind its plan, and the next one finds what it left.
    await second(() => lease.recordPlan({ target: 'shop', token: changed.token, plan: deployPlan() }))
    const owing = await acquire({ ...(await seen()), lease: changed.token })
    expect(owing.debts).toHaveLength(1)
    expect(owing).not.toHaveProperty('unchanged')
  } finally {
    await server.stop()
    rmSync(bin, { recursive: true })
  }
})
