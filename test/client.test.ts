// The typed client against the real development server, with the real workflows and activities that do nothing.

import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { ApplicationFailure } from '@temporalio/common'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { temporalCli } from '../sandbox/install/temporal.js'
import { StepbackClient } from '../src/client.js'
import { runName, summaryOf } from '../src/client/naming.js'
import { type Plan } from '../src/plan/plan.js'
import { searchAttributes, ensureSearchAttributes } from '../src/worker/search-attributes.js'

const digest = `sha256:${'3fa94c21'.repeat(8)}`
let env: TestWorkflowEnvironment
let client: StepbackClient

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const executable = { type: 'existing-path', path: await temporalCli() } as const
  env = await TestWorkflowEnvironment.createLocal({ server: { executable, log: { format: 'pretty', level: 'error' } } })
  client = await StepbackClient.connect({
    address: env.address,
    namespace: 'default',
    taskQueue: randomUUID(),
    answersWithinMs: 5_000,
  })
})

afterAll(async () => {
  await client?.close()
  await env?.teardown()
})

describe('with a worker', () => {
  let stop: () => Promise<void>

  beforeAll(async () => {
    stop = await startWorker()
  })

  afterAll(() => stop())

  test('the workers of a queue are counted, and those of one machine among them', async () => {
    await expect.poll(() => client.workers()).toBe(1)
    expect([await client.workers(hostname()), await client.workers('another-machine')]).toEqual([1, 0])
  })

  test('a run is approved by the beginning of its digest, followed to its end, and its plan is read', async () => {
    const run = await client.startRollback({ target: 'aria', reason: 'error rate up' })
    expect(run).toMatch(/^rollback-aria-\d{8}T\d{6}Z$/)
    const phases = await phasesUntilGate(run)
    expect(phases.at(-1)).toBe('waiting-for-approval')
    await expect(client.approve(run, { by: 'ada', digest: '00000000' })).rejects.toMatchObject({
      type: 'ApprovalRefused',
    })
    expect(await client.approve(run, { by: 'ada', digest: '3fa94c21' })).toEqual({
      how: 'update',
      text: 'approved by ada',
    })
    const ending = await client.result(run)
    expect(ending).toMatchObject({ outcome: 'done', result: { phase: 'done', target: 'aria' } })
    expect(await client.plan(run)).toMatchObject({ digest, steps: [{ undo: [{ title: 'start api' }] }] })
    expect(await client.isOpen(run)).toBe(false)
    await expect(client.approve(run, { by: 'ada' })).rejects.toMatchObject({ type: 'ApprovalRefused' })
  })

  test('a rejected run says so by its type, with what it showed last', async () => {
    const run = await client.startDeploy({ target: 'aria', version: '2.1.0' })
    await phasesUntilGate(run)
    expect((await client.openRuns()).map((it) => [it.run, it.progress?.phase])).toEqual([[run, 'waiting-for-approval']])
    await client.reject(run, { by: 'ada', comment: 'not now' })
    expect(await client.result(run)).toMatchObject({ outcome: 'Rejected', result: { phase: 'rejected' } })
  })

  test('a request that is refused says why', async () => {
    const run = await client.startRollback({ target: 'nosuch' })
    expect(await client.result(run)).toMatchObject({ outcome: 'UnknownTarget', message: 'not configured' })
  })
})

test('without a worker an answer goes by signal, and is taken when one is back', async () => {
  let run = ''
  await withWorker(async () => {
    run = await client.startRollback({ target: 'aria' })
    await phasesUntilGate(run)
  })
  await expect(client.approve(run, { by: 'ada\u001b[2J' })).rejects.toMatchObject({
    type: 'ApprovalRefused',
    message: expect.stringContaining('by: expected a name'),
  })
  expect(await client.approve(run, { by: 'ada', digest: '3fa94c21' })).toMatchObject({ how: 'signal' })
  await withWorker(async () => {
    expect(await client.result(run)).toMatchObject({ outcome: 'done' })
  })
})

test('what looks like a credential is not sent, since no history forgets it', async () => {
  const request = { target: 'aria', version: '2.1.0', reason: 'DB_PASSWORD=hunter2 was wrong' }
  const refusal = { type: 'InvalidRequest', message: expect.stringMatching(/^reason: "DB_PASSWORD=\[redacted\] was/) }
  await expect(client.startDeploy(request)).rejects.toMatchObject(refusal)
  const comment = 'see postgres://aria:hunter2@db/aria'
  const refused = client.reject('deploy-none', { by: 'ann', comment })
  await expect(refused).rejects.toMatchObject({
    type: 'InvalidRequest',
    message: expect.not.stringContaining('hunter2'),
  })
})

test('two runs of one second have two names', async () => {
  const runs = await Promise.all([client.startRollback({ target: 'twice' }), client.startRollback({ target: 'twice' })])
  expect(new Set(runs).size).toBe(2)
  for (const run of runs) await env.client.workflow.getHandle(run).terminate('enough')
  expect(await client.result(runs[0]!)).toMatchObject({ outcome: 'Terminated' })
})

test('a run that does not exist is said to', async () => {
  await expect(client.result('nosuch')).rejects.toThrow('there is no run "nosuch" in namespace "default"')
})

test('search attributes are made once, and then found', async () => {
  const logger = { warn: () => {}, info: () => {} }
  const connection = env.nativeConnection
  expect(await ensureSearchAttributes({ connection, namespace: 'default', logger })).toBe(true)
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' })
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining([...searchAttributes]))
})

test('a server says its version, how long it keeps runs, and that search attributes are there', async () => {
  expect(await client.server()).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    retentionMs: 24 * 3_600_000,
    missing: [],
  })
  const other = await StepbackClient.connect({ address: env.address, namespace: 'nosuch' })
  expect(await other.server()).toMatchObject({ retentionMs: null, missing: null })
  await other.close()
})

test('a worker that may not make search attributes says so once, and goes without', async () => {
  const said: unknown[] = []
  const refuse = async () => Promise.reject(new Error('permission denied'))
  const connection = {
    operatorService: { listSearchAttributes: async () => ({}), addSearchAttributes: refuse },
  } as never
  const logger = { warn: (...it: unknown[]) => void said.push(it), info: () => {} }
  expect(await ensureSearchAttributes({ connection, namespace: 'default', logger })).toBe(false)
  expect(said).toHaveLength(1)
})

test('a server that is not there is named', async () => {
  const nobody = StepbackClient.connect({ address: '127.0.0.1:1', answersWithinMs: 1_000 })
  await expect(nobody).rejects.toMatchObject({ type: 'Unreachable' })
})

test('a name and a summary carry no control characters, and no more than fits', () => {
  const at = new Date('2026-11-23T14:02:11.500Z')
  expect(runName({ kind: 'rollback', target: 'aria', at })).toBe('rollback-aria-20261123T140211Z')
  expect(summaryOf({ kind: 'rollback', target: 'aria', reason: 'error\u001b[2J rate\nup' })).toBe(
    'rollback of aria: error [2J rate up',
  )
  const long = summaryOf({ kind: 'deploy', target: 'aria', version: '2.1.0', reason: 'ü'.repeat(200) })
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(200)
  expect(long).toMatch(/^deploy of aria 2\.1\.0: ü+…$/)
})

async function phasesUntilGate(run: string): Promise<string[]> {
  const phases: string[] = []
  for await (const progress of client.follow(run, { everyMs: 50 })) {
    phases.push(progress.phase)
    if (progress.gate) break
  }
  return phases
}

async function withWorker(act: () => Promise<void>): Promise<void> {
  const stop = await startWorker()
  await act().finally(stop)
}

async function startWorker(): Promise<() => Promise<void>> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: client.taskQueue,
    workflowBundle: { codePath: inject('workflowBundlePath') },
    activities,
  })
  const running = worker.run()
  return async () => {
    worker.shutdown()
    await running
  }
}

const activities = {
  plan: async ({ kind, request, since }: { kind: string; request: { target: string }; since?: object }) => {
    if (request.target === 'nosuch') throw ApplicationFailure.nonRetryable('not configured', 'UnknownTarget')
    // Under the lease nothing has changed: the last answer has no plan in it.
    if (since) return { unchanged: true }
    return { plan: plan(kind, request.target), searchable: false, glance: { lease: 0, at: 0, sha256: '' } }
  },
  acquireLease: async () => ({ token: 1, run: { workflowId: 'w', runId: 'r' }, debts: [] }),
  recordPlan: async () => {},
  finishRun: async () => {},
  observeEnd: async () => [],
  stopServices: async () => ({ detail: null, attempts: 1 }),
}

function plan(kind: string, target: string): Plan {
  return {
    digest,
    kind: kind as Plan['kind'],
    target,
    version: '2.0.0',
    because: 'of a test',
    safety: '20261123T150000Z-2.1.0',
    steps: [
      {
        act: { name: 'stopServices', title: 'stop api', args: { services: ['api'] } },
        undo: [{ name: 'startServices', title: 'start api', args: { levels: [] } }],
        commit: false,
      },
    ],
    approval: { required: true, dataLoss: true, why: '1 row would be lost' },
    already: false,
    before: { version: '2.1.0', head: null },
    deadlines: { approvalMs: 60_000, operatorMs: 60_000 },
  }
}
