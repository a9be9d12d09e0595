// What the end of a run leaves for people on a real host over SSH, with the real lease, jobs and audit record.

import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { removeDirectory } from '../../sandbox/remove.js'
import { auditActivities } from '../../src/activities/audit.js'
import type { Deps } from '../../src/activities/deps.js'
import { leaseActivities } from '../../src/activities/lease.js'
import { Host } from '../../src/adapters/host.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import { type Ended, auditedPlan } from '../../src/plan/audit.js'
import type { Phase } from '../../src/plan/progress.js'
import { rollbackPlan } from '../support/plans.js'
import { type Sshd, startSshd } from '../support/sshd.js'

const plan = rollbackPlan()
const circumstances = { plan: auditedPlan(plan), answers: [] }

let sshd: Sshd
let deps: Deps
beforeAll(async () => {
  sshd = await startSshd()
  const directory = project()
  const config = parseConfig(
    `
targets:
  shop:
    ssh: { host: shop.test }
    directory: ${directory}
    backups: ${directory}/backups
    compose: { project: shop, files: [docker-compose.yml] }
    services: { application: [api] }
    deployLog: deploy.log
    incidents: memories/logs
`,
    'x.yaml',
  )
  const connection = await sshd.connect()
  const host = new Host({ ssh: async () => connection, stateDirectory: join(directory, 'backups/.stepback/shop') })
  const hosts = { host: () => host, ssh: async () => connection }
  deps = { config, hosts, namespace: 'default', runs: { state: async () => 'open' } } as unknown as Deps
})
afterAll(() => sshd.stop())
beforeEach(() => mkdirSync(project('memories'), { recursive: true }))
afterEach(() => removeDirectory(project()))

function project(...path: string[]): string {
  return join(sshd.directory, 'project', ...path)
}

let runs = 0

/** A run as its activities see it; `again` is another attempt of the same activity. */
function newRun(kind = 'rollback') {
  const run = {
    workflowId: `${kind}-shop-${++runs}`,
    runId: `00000000-0000-7000-8000-${String(runs).padStart(12, '0')}`,
  }
  const inside = <T>(work: () => Promise<T>) => {
    const info = {
      workflowExecution: run,
      workflowType: `${kind}Workflow`,
      scheduledTimestampMs: Date.UTC(2026, 10, 23),
    }
    return new MockActivityEnvironment(info).run(work) as Promise<T>
  }
  return { run, inside }
}

function ending(outcome: Phase, changes: Partial<Ended> = {}): Ended {
  return {
    kind: 'ended',
    asked: { kind: 'rollback', requestedBy: 'ada', reason: 'see http://ada:hunter2@shop.test', severity: 'failure' },
    outcome,
    message: null,
    startedAt: '2026-11-22T23:59:50.000Z',
    steps: [],
    gates: [],
    health: [],
    restorePoint: null,
    left: [],
    ...changes,
  }
}

const lease = () => leaseActivities(deps)
const log = () => readFileSync(project('deploy.log'), 'utf8').trimEnd().split('\n')
const notes = (path = 'memories/logs') => readdirSync(project(path))

async function finished(outcome: Phase = 'done', changes: Partial<Ended> = {}) {
  const { run, inside } = newRun()
  const { token } = await inside(() => lease().acquireLease({ target: 'shop', kind: 'rollback' }))
  const input = { target: 'shop', token, outcome, ended: ending(outcome, changes), circumstances }
  const finish = () => inside(() => lease().finishRun(input))
  return { run, written: await finish(), again: finish }
}

test('a rollback leaves one note and one line, however often its end is written, and no credential in them', async () => {
  const { run, written, again } = await finished()
  await again()
  const name = `incident_20261123T000000Z_rollback_${run.runId.slice(-8)}.md`
  expect(written).toMatchObject({ number: 1, note: { file: `memories/logs/${name}` } })
  expect(notes()).toEqual([name])
  expect(log()).toEqual([`2026-11-23T00:00:00Z ${run.workflowId} rollback full ${plan.version}: done`])
  const note = readFileSync(project('memories/logs', name), 'utf8')
  expect(note).toContain('- severity: failure\n- why: see http://ada:\\[redacted\\]@shop.test\n- asked for by: ada\n')
  expect(note).not.toContain('hunter2')
})

test('a note that cannot be written is told, and the lease is given back all the same', async () => {
  rmSync(project('memories'), { recursive: true })
  mkdirSync(project('soul'))
  symlinkSync(project('soul'), project('memories'))
  const { written } = await finished()
  expect(written).toMatchObject({ number: 1, note: { problem: expect.stringContaining('is a link') } })
  expect(readdirSync(project('soul'))).toEqual([])
  expect(log()).toHaveLength(1)
  await finished()
})

describe('a run that was told no', () => {
  const write = () => {
    const event = ending('rejected', { message: 'rejected by bob: not now' })
    const { inside } = newRun()
    const work = () => auditActivities(deps).recordAudit({ target: 'shop', id: 'ended', event, circumstances })
    return [() => inside(work), () => inside(work)] as const
  }

  test('has its note without the lease, beside whoever holds it', async () => {
    await finished()
    await newRun().inside(() => lease().acquireLease({ target: 'shop', kind: 'rollback' }))
    const [first, second] = write()
    const { note } = await first()
    await second()
    expect([notes().length, log().length]).toEqual([2, 2])
    expect(readFileSync(project(note!.file!), 'utf8')).toContain('- message: rejected by bob: not now')
  })

  test("makes no directory and no log: what it was told may be that they are another stack's", async () => {
    expect(await write()[0]()).toMatchObject({ note: { problem: expect.stringContaining('cannot be entered') } })
    expect([readdirSync(project()), notes('memories')]).toEqual([['memories'], []])
  })
})

test('a run that was refused is in the record alone, and the project stays as it was', async () => {
  const other = newRun()
  await other.inside(() => lease().acquireLease({ target: 'shop', kind: 'rollback' }))
  const { inside } = newRun()
  const event = ending('refused', { message: 'there is no restore point of that name' })
  const written = await inside(() =>
    auditActivities(deps).recordAudit({ target: 'shop', id: 'ended', event, circumstances }),
  )
  expect(written).toMatchObject({ number: expect.any(Number) })
  expect(written).not.toHaveProperty('note')
  expect(readdirSync(project())).not.toContain('deploy.log')
  expect(readdirSync(project('memories'))).toEqual([])
})

test('a run that was fenced writes nothing into the project; whoever settles what it left notes it', async () => {
  const lost = newRun()
  await lost.inside(() => lease().acquireLease({ target: 'shop', kind: 'rollback' }))
  const begun = { kind: 'begun', asked: ending('done').asked, plan: circumstances.plan } as const
  const record = (id: string, event: Ended | typeof begun) =>
    lost.inside(() => auditActivities(deps).recordAudit({ target: 'shop', id, event, circumstances }))
  await record('begun', begun)
  deps.runs.state = async () => 'closed'
  const next = newRun()
  const { token } = await next.inside(() => lease().acquireLease({ target: 'shop', kind: 'rollback' }))
  await expect(
    lost.inside(() =>
      lease().finishRun({ target: 'shop', token: token - 1, outcome: 'done', ended: ending('done'), circumstances }),
    ),
  ).rejects.toMatchObject({ type: 'Fenced' })
  expect(await record('ended', ending('fenced'))).not.toHaveProperty('note')
  expect(readdirSync(project())).not.toContain('deploy.log')
  await next.inside(() => lease().closeDebt({ target: 'shop', token, run: lost.run, how: 'undone', plan }))
  const settled = `ended without an end; undone by ${next.run.workflowId}`
  expect(log()).toEqual([`2026-11-23T00:00:00Z ${lost.run.workflowId} rollback full ${plan.version}: ${settled}`])
  expect(readFileSync(project('memories/logs', notes()[0]!), 'utf8')).toContain('- severity: failure')
})

test('a run that plans nothing again has its plan in ledger and record with its lease, once', async () => {
  const host = deps.hosts.host(findTarget(deps.config, 'shop'))
  const { inside } = newRun('emergency')
  const begins = { plan, asked: ending('done').asked }
  const acquire = () => inside(() => lease().acquireLease({ target: 'shop', kind: 'emergency', begins }))
  const { token } = await acquire()
  expect(await acquire()).toMatchObject({ token, begun: true })
  const kinds = (records: readonly { readonly entry: object }[]) =>
    records.map(({ entry }) => (entry as { kind: string }).kind)
  expect(kinds(await host.readLedger())).toEqual(['acquired', 'plan'])
  expect(kinds((await host.readAudit()).records)).toEqual(['begun'])
})

test('a run has its end in the ledger before its lease goes back', async () => {
  const host = deps.hosts.host(findTarget(deps.config, 'shop'))
  const release = host.release.bind(host)
  const atRelease: string[] = []
  vi.spyOn(host, 'release').mockImplementationOnce(async (input) => {
    atRelease.push(...(await host.readLedger()).map(({ entry }) => (entry as { kind: string }).kind))
    await release(input)
  })
  await finished()
  expect(atRelease).toEqual(['acquired', 'finished'])
})

test('a backup forgets the jobs that are a month old, and no other run does', async () => {
  const jobs = () => readdirSync(project('backups/.stepback/shop/jobs'))
  await finished()
  const old = jobs()
  const longAgo = new Date(Date.now() - 40 * 86_400_000)
  for (const job of old) utimesSync(project('backups/.stepback/shop/jobs', job), longAgo, longAgo)
  await finished()
  expect(jobs()).toEqual(expect.arrayContaining(old))
  const { inside } = newRun('backup')
  const { token } = await inside(() => lease().acquireLease({ target: 'shop', kind: 'backup' }))
  await inside(() => lease().finishRun({ target: 'shop', token, outcome: 'done' }))
  expect(jobs().filter((job) => old.includes(job))).toEqual([])
})
