import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { candidate, deployPlan, deployRequest, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { Stage, fail } from '../support/workflow.js'

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const progressKeys = ['target', 'kind', 'scope', 'phase', 'plan', 'steps', 'gate', 'startedAt', 'finishedAt']
const resultKeys = [...progressKeys, 'health', 'restorePoint', 'durationMs']
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(lossy))

test('progress has exactly the keys of the contract, at a gate as well', async () => {
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  const progress = await run.until('waiting-for-approval')
  expect(Object.keys(progress).toSorted()).toEqual(progressKeys.toSorted())
  expect(progress).toMatchObject({ target: 'shop', kind: 'rollback', scope: 'full', finishedAt: null })
  expect(progress.plan).toEqual({
    digest: lossy.digest,
    strategy: 'restore',
    because: lossy.because,
    restorePoint: lossy.restorePoint,
    exposure: exposure(412),
    strategies: lossy.strategies,
    undo: `stepback rollback shop --to ${lossy.safety}`,
  })
  expect(progress.steps[0]).toEqual({
    name: 'takeRestorePoint',
    title: 'take a restore point of files and images at 2.1.0',
    state: 'pending',
    attempts: 0,
    startedAt: null,
    finishedAt: null,
    detail: null,
  })
  await run.answer('reject', { by: 'ann' })
  await run.failure()
})

test('progress answers before the first activity has answered: its handlers come first', async () => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  stage.on('plan', async () => (await held, { plan: deployPlan(), searchable: false }))
  const run = await stage.start('deployWorkflow', deployRequest())
  expect(await run.progress()).toMatchObject({
    target: 'shop',
    kind: 'deploy',
    scope: null,
    phase: 'planning',
    plan: null,
    steps: [],
    gate: null,
  })
  expect((await run.refusal('approve', { by: 'ann' })).message).toBe(
    'nothing waits to be approved; the run is planning',
  )
  release()
  await run.result()
})

test('a result is the last progress with what was seen, the way back, and how long it took; a closed run still answers', async () => {
  stage.reset(deployPlan())
  const run = await stage.start('deployWorkflow', deployRequest())
  const result = await run.result()
  expect(Object.keys(result).toSorted()).toEqual(resultKeys.toSorted())
  expect(result).toMatchObject({
    phase: 'done',
    gate: null,
    health: [{ check: 'api', healthy: true, detail: 'ok' }],
    restorePoint: '20261123T140211Z-2.0.0',
    durationMs: Date.parse(result.finishedAt!) - Date.parse(result.startedAt),
  })
  expect(await run.progress()).toEqual(result)
})

test('steps that are done show when, how often and what came of it', async () => {
  stage.reset(deployPlan())
  stage.on('putFiles', () => ({ detail: '2 files', attempts: 3 }))
  const { steps } = await (await stage.start('deployWorkflow', deployRequest())).result()
  expect(steps[2]).toEqual({
    name: 'putFiles',
    title: 'put 2 files of the release in place',
    state: 'done',
    attempts: 3,
    startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    finishedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    detail: '2 files',
  })
})

test('a failure carries the same object as the query on the closed run', async () => {
  stage.reset(deployPlan())
  stage.on('migrateUp', fail('StepFailed', 'bad migration'))
  const run = await stage.start('deployWorkflow', deployRequest())
  const failure = await run.failure()
  expect(Object.keys(failure.details).toSorted()).toEqual(resultKeys.toSorted())
  expect(await run.progress()).toEqual(failure.details)
  expect(failure.details.restorePoint).toBe('20261123T140211Z-2.0.0')
})

describe('a run that cannot begin', () => {
  test.each(['InvalidRequest', 'UnknownTarget', 'InvalidConfiguration', 'Refused'] as const)(
    'fails as %s in the phase refused',
    async (type) => {
      stage.on('plan', fail(type, 'target: missing'))
      const run = await stage.start('rollbackWorkflow', {})
      const failure = await run.failure()
      expect(failure).toMatchObject({
        type,
        message: 'target: missing',
        details: { phase: 'refused', target: null, plan: null, steps: [], health: [] },
      })
      expect(await run.progress()).toEqual(failure.details)
      expect(stage.all).toEqual(['plan'])
    },
  )

  test('because its host does not answer is Refused after a second try: nothing was changed', async () => {
    stage.on('plan', () => {
      throw new Error('no route')
    })
    const failure = await (await stage.start('rollbackWorkflow', rollbackRequest())).failure()
    expect(failure).toMatchObject({ type: 'Refused', details: { phase: 'refused' } })
    expect(stage.calls('plan')).toHaveLength(2)
  })

  test('is not one of which two workers died while they looked', async () => {
    // Without a heartbeat, as a worker that is gone.
    stage.on('plan', () =>
      stage.calls('plan').length <= 2 ? Context.current().cancelled : { plan: deployPlan(), searchable: false },
    )
    expect((await (await stage.start('deployWorkflow', deployRequest())).result()).phase).toBe('done')
  })

  test.each([null, 'shop', 7, [], { target: 5 }])(
    'with the request %j hands it to the activity that says what is wrong',
    async (request) => {
      stage.on('plan', fail('InvalidRequest', 'expected one object'))
      expect((await (await stage.start('deployWorkflow', request)).failure()).type).toBe('InvalidRequest')
    },
  )

  test('under the lease gives it back', async () => {
    let looks = 0
    stage.on('plan', () =>
      looks++ === 0 ? { plan: deployPlan(), searchable: false } : fail('Refused', 'disk full')(undefined),
    )
    const failure = await (await stage.start('deployWorkflow', deployRequest())).failure()
    expect(failure).toMatchObject({ type: 'Refused', message: 'disk full' })
    expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'refused' }])
  })
})

test('the first plan goes to the activity as the request came, with the kind', async () => {
  stage.reset(deployPlan())
  const raw = { ...deployRequest(), nonsense: true }
  await (await stage.start('deployWorkflow', raw)).result()
  expect(stage.calls('plan')).toEqual([
    { kind: 'deploy', request: raw, asksHealth: true },
    { kind: 'deploy', request: raw, asksHealth: false },
  ])
})
