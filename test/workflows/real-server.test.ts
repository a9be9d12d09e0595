// What the server that skips time does not know, or lets through though a real one would not.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { temporalRuns } from '../../src/adapters/runs.js'
import { pythonEnvironment } from '../../sandbox/install/python.js'
import { run } from '../../sandbox/run.js'
import { seen, settings, well } from '../support/guards.js'
import { candidate, deployPlan, deployRequest, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { Stage, fail, untilCancelled } from '../support/workflow.js'

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
let stage: Stage

beforeAll(async () => {
  stage = await Stage.openReal()
})
afterAll(() => stage.close())

test('an approved rollback runs on a real server, is found by its phase, and shows itself in the Web UI', async () => {
  stage.reset(lossy)
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  const { searchAttributes } = await run.handle.describe()
  expect(searchAttributes).toMatchObject({
    StepbackTarget: ['shop'],
    StepbackPhase: ['waiting-for-approval'],
    StepbackVersion: ['2.0.0'],
    StepbackRestorePoint: [lossy.restorePoint],
  })
  const { currentDetails, definition } = await run.handle.query<any>('__temporal_workflow_metadata')
  expect(currentDetails).toContain('**412 rows would be lost:**')
  expect(definition.updateDefinitions.map((it: { name: string }) => it.name).toSorted()).toEqual([
    'approve',
    'reject',
    'resolve',
  ])
  expect(definition.signalDefinitions.map((it: { name: string }) => it.name)).toEqual(
    expect.arrayContaining(['approve', 'reject', 'resolve']),
  )
  const { queryDefinitions, updateDefinitions, signalDefinitions } = definition
  for (const { name, description } of [...queryDefinitions, ...updateDefinitions, ...signalDefinitions])
    expect(description, name).toMatch(/\S{3}/)
  await run.answer('approve', { by: 'ann', digest: lossy.digest })
  const result = await run.result()
  expect(result.phase).toBe('done')
  expect(await run.progress()).toEqual(result)
})

test('a guard takes no silence for one that nobody could have heard', async () => {
  const silence = { silenceMs: 90_000, expects: ['heartbeat'], absenceMs: 500 }
  const silentAt = Date.now() + 8_000
  const countsFrom = new Date(silentAt - silence.silenceMs).toISOString()
  const looks = [seen({ sources: well, countsFrom }, silence)]
  stage.reset(lossy)
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
  const guard = await stage.startAs('guard-shop', 'guardWorkflow', { target: 'shop' })
  await expect.poll(async () => (await guard.guard()).verdict).toBe('healthy')
  await stage.withoutWorker(() => sleep(silentAt + 1_000 - Date.now()))
  expect(await guard.guard()).toMatchObject({ verdict: 'healthy', acted: [] })
  await guard.handle.cancel()
  await guard.handle.result().catch(() => undefined)
})

test('what a guard began is found with its end: open at a gate, refused, or rejected', async () => {
  const since = new Date(Date.now() - 60_000).toISOString()
  const begin = (name: string) => stage.startAs(`rollback-shop-guard-${name}`, 'rollbackWorkflow', rollbackRequest())
  stage.reset(lossy)
  const waiting = await begin('waiting')
  await waiting.until('waiting-for-approval')
  const rejected = await begin('rejected')
  await rejected.until('waiting-for-approval')
  await rejected.answer('reject', { by: 'ann' })
  await rejected.failure()
  stage.on('plan', fail('Refused'))
  await (await begin('refused')).failure()
  const runs = temporalRuns(stage.client, 'default')
  const found = async (from: string) => {
    const all = await runs.rollbacks('rollback-shop-guard-', from)
    return all.map(({ run, waits, ended }) => [run.slice('rollback-shop-guard-'.length), waits, ended?.type])
  }
  await expect
    .poll(() => found(since))
    .toEqual([
      ['waiting', true, undefined],
      ['rejected', false, 'Rejected'],
      ['refused', false, 'Refused'],
    ])
  expect(await found(new Date(Date.now() + 60_000).toISOString())).toEqual([])
  expect(await runs.rollbacks('rollback-shop-1-guard-', since)).toEqual([])
  await waiting.answer('reject', { by: 'ann' })
})

test('every activity and every timer has a title, and each step its own, so that the timeline reads like the plan', async () => {
  const plan = deployPlan({ ...deployRequest(), approval: 'always' })
  stage.reset(plan)
  stage.on('checkHealth', fail('StepFailed'))
  const run = await stage.start('deployWorkflow', deployRequest())
  await run.until('waiting-for-approval')
  await run.answer('approve', { by: 'ann', digest: plan.digest })
  await run.failure()
  const { events } = await run.handle.fetchHistory()
  const titled = events!
    .filter((it) => it.activityTaskScheduledEventAttributes ?? it.timerStartedEventAttributes)
    .map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? '').toString())
  expect(titled.filter((title) => title === '')).toEqual([])
  expect(titled).toContain('"deadline to approve"')
  expect(titled).toContain('"3/10 put 2 files of the release in place"')
  expect(titled).toContain('"undo: put the files back as they were"')
})

describe('a guard hears', { timeout: 120_000 }, () => {
  let python: string
  beforeAll(async () => {
    // As its README says, on a client that knows nothing of stepback.
    python = join(await pythonEnvironment('temporalio', ['temporalio==1.35.0']), 'bin', 'python3')
  }, 300_000)

  test.each([
    [
      'a Python program',
      (address: string) => run([python, 'docs/heartbeat.py', address, 'default', 'shop', 'degraded']),
    ],
    [
      'the bare temporal CLI',
      (address: string) =>
        run([
          inject('temporalCli'),
          ...'workflow signal --workflow-id guard-shop --name health --address'.split(' '),
          address,
          '--input',
          '{"status":"degraded","source":"heartbeat"}',
        ]),
    ],
  ])('%s', async (_title, report) => {
    stage.reset(lossy)
    stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
    const looks = [seen({ sources: well })]
    stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
    const guard = await stage.startAs('guard-shop', 'guardWorkflow', { target: 'shop' })
    try {
      for (let round = 0; round < settings.failures; round++) await report(stage.address)
      await expect.poll(async () => (await guard.guard()).reports).toEqual({ taken: settings.failures, refused: null })
      const { sources } = await guard.guard()
      expect(sources.find((it) => it.source === 'heartbeat')?.verdict).toBe('degraded')
    } finally {
      await guard.handle.cancel()
      await guard.handle.result().catch(() => undefined)
    }
  })
})
