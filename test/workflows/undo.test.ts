import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { deployPlan, deployRequest, exposure, m2, m3, undosOf } from '../support/plans.js'
import { Stage, fail, failTimes } from '../support/workflow.js'

const plan = deployPlan()
const request = deployRequest()
const abandoned = { type: 'StepFailed', message: 'bad migration' } as const
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => {
  stage.reset(plan)
  stage.on('migrateUp', fail(abandoned.type, abandoned.message))
})

describe('an undo that keeps failing waits at a gate without a deadline', () => {
  async function atGate() {
    const run = await stage.start('deployWorkflow', request)
    const waiting = await run.until('waiting-for-operator')
    expect(waiting.gate).toEqual({ asks: 'resolve', why: 'put the files back as they were: disk full', until: '' })
    return run
  }

  test('retry tries it again, under a new key', async () => {
    stage.on(
      'restoreFiles',
      (input) => (input.attempt === 1 ? fail('StepFailed', 'disk full')(input) : { detail: null, attempts: 1 }),
      { undo: true },
    )
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'retry' })
    expect((await run.failure()).type).toBe('Undone')
    expect(stage.calls('restoreFiles').map((input) => input.attempt)).toEqual([1, 2])
  })

  test('skip goes on with the rest, and ends as NotUndone with both errors', async () => {
    stage.on('restoreFiles', fail('StepFailed', 'disk full'), { undo: true })
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    const failure = await run.failure()
    expect(failure.type).toBe('NotUndone')
    expect(failure.message).toBe('bad migration; left: put the files back as they were: disk full')
    expect(failure.details.left).toEqual(['put the files back as they were: disk full'])
    expect(failure.details.phase).toBe('not-undone')
    expect(failure.details.steps[2]!.state).toBe('undo-failed')
    expect(stage.acts.slice(5)).toEqual(undosOf(plan, 4))
    expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'not-undone' }])
  })

  test('abort stops there, ends as NotUndone, and says what was not even tried', async () => {
    stage.on('restoreFiles', fail('StepFailed', 'disk full'), { undo: true })
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    const failure = await run.failure()
    expect(failure.type).toBe('NotUndone')
    expect(failure.message).toContain('bad migration; left: ')
    expect(failure.details.left).toEqual([
      'put the files back as they were: disk full; given up',
      'start the services as they were: not tried',
      'check that they are healthy again: not tried',
    ])
    expect(stage.acts.slice(5)).toEqual(['undo migrateDown', 'undo restoreImages', 'undo restoreFiles'])
    expect(failure.details.steps.slice(0, 5).map((step) => step.state)).toEqual([
      'done',
      'undo-failed',
      'undo-failed',
      'undone',
      'undone',
    ])
  })
})

test('an undo of which the workers die goes on with the next one, and waits for nobody', async () => {
  // Without a heartbeat in its last attempt, as a worker that is gone.
  const attempts = () => stage.calls('restoreFiles').length
  stage.on(
    'restoreFiles',
    () => {
      if (attempts() < 10) throw new Error('no route')
      return attempts() === 10 ? Context.current().cancelled : { detail: null, attempts: 1 }
    },
    { undo: true },
  )
  expect((await (await stage.start('deployWorkflow', request)).failure()).type).toBe('Undone')
  expect(stage.calls('restoreFiles').map((input) => input.attempt)).toEqual(Array.from({ length: 11 }, () => 1))
})

test('undone but unhealthy is NotUndone, and waits for nobody', async () => {
  stage.on('checkHealth', fail('StepFailed', 'api: 500'), { undo: true })
  stage.on('observeEnd', () => [{ check: 'api', healthy: false, detail: '500' }])
  const failure = await (await stage.start('deployWorkflow', request)).failure()
  expect(failure.type).toBe('NotUndone')
  expect(failure.message).toBe('bad migration; left: check that they are healthy again: api: 500; api: 500')
  expect(failure.details.health).toEqual([{ check: 'api', healthy: false, detail: '500' }])
})

test('an undo is checked against the version that ran before', async () => {
  await (await stage.start('deployWorkflow', request)).failure()
  expect(stage.calls('observeEnd')).toEqual([{ target: 'shop', version: '2.0.0', decides: true }])
})

test('a look that fails after the undo is NotUndone, and hides neither the first error nor the lease', async () => {
  stage.on('observeEnd', fail('Unreachable', 'no route'))
  const failure = await (await stage.start('deployWorkflow', request)).failure()
  expect(failure.type).toBe('NotUndone')
  expect(failure.message).toBe('bad migration; left: look: no route')
  expect(stage.calls('finishRun')).toHaveLength(1)
})

test('a failing first step has taken no restore point, so none is offered', async () => {
  stage.on('takeRestorePoint', fail('StepFailed', 'disk full'))
  expect((await (await stage.start('deployWorkflow', request)).failure()).details.restorePoint).toBeNull()
})

describe('an undo that would lose rows', () => {
  const lossy = deployPlan(deployRequest({ migrateTo: m3.revision }))
  const exceeded = { exposure: exposure(412) }

  beforeEach(() => {
    stage.reset(lossy)
    stage.on('checkHealth', fail('StepFailed', 'api: 500'))
    stage.on('checkHealth', () => ({ detail: null, attempts: 1 }), { undo: true })
    stage.on(
      'swapDatabase',
      (input) =>
        input.args.mayLoseRows >= 412
          ? { detail: null, attempts: 1 }
          : fail('ExposureExceeded', '412 rows', exceeded)(input),
      { undo: true },
    )
  })

  async function atGate() {
    const run = await stage.start('deployWorkflow', deployRequest({ migrateTo: m3.revision }))
    const waiting = await run.until('waiting-for-operator')
    expect(waiting.gate).toEqual({ asks: 'approve', why: 'swap the built database in: 412 rows', until: '' })
    expect(waiting.plan!.exposure).toEqual(exposure(412))
    return run
  }

  test('waits for an approval that names the plan, and loses that many rows and no more', async () => {
    const run = await atGate()
    expect(await run.refusal('approve', { by: 'ann' })).toMatchObject({ type: 'ApprovalRefused' })
    await run.answer('approve', { by: 'ann', digest: lossy.digest })
    expect((await run.failure()).type).toBe('Undone')
    expect(stage.calls('swapDatabase').map((input) => input.args.mayLoseRows)).toEqual([0, 412])
  })

  test('is given up by a reject', async () => {
    const run = await atGate()
    await run.answer('reject', { by: 'ann' })
    const failure = await run.failure()
    expect(failure.type).toBe('NotUndone')
    expect(failure.details.left).toContain('swap the built database in: 412 rows; given up')
  })

  test('may be skipped, which goes on with the rest', async () => {
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    const failure = await run.failure()
    expect(failure.type).toBe('NotUndone')
    expect(failure.details.left).toEqual(['swap the built database in: 412 rows'])
  })
})

describe('an undo by a down', () => {
  const column = { table: 'orders', column: 'mark', inserted: 0, updated: 0, deleted: 3, newest: null, method: 'exact' }
  const changed = { ...column, table: 'rows that the downs change', deleted: 0, method: 'unknown' }

  test.each([
    ['values of columns that nobody else has', [column], 3],
    ['what nobody can count', [changed], Number.MAX_SAFE_INTEGER],
  ])('asks before it loses %s', async (_what, tables, enough) => {
    const exceeded = fail('ExposureExceeded', 'too much', { exposure: { total: 0, tables } })
    stage.on(
      'migrateDown',
      (input) => (input.args.mayLoseRows >= enough ? { detail: null, attempts: 1 } : exceeded(input)),
      { undo: true },
    )
    expect(m2.reversible).toBe(true)
    const run = await stage.start('deployWorkflow', request)
    expect((await run.until('waiting-for-operator')).gate).toMatchObject({ asks: 'approve' })
    await run.answer('approve', { by: 'ann', digest: plan.digest })
    expect((await run.failure()).type).toBe('Undone')
    expect(stage.calls('migrateDown').map((input) => input.args.mayLoseRows)).toEqual([0, enough])
  })
})

test('several tries in a row of an undo each get a number of their own', async () => {
  const behaviour = failTimes(2, 'StepFailed')
  stage.on('restoreImages', behaviour, { undo: true })
  const run = await stage.start('deployWorkflow', request)
  for (const tries of [1, 2]) {
    await expect.poll(() => stage.calls('restoreImages').length).toBe(tries)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'retry' })
  }
  expect((await run.failure()).type).toBe('Undone')
  expect(stage.calls('restoreImages').map((input) => input.attempt)).toEqual([1, 2, 3])
})
