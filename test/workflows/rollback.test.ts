import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { endOfGroup, rollbackPlan, rollbackRequest, statesAfterUndo, undosOf } from '../support/plans.js'
import { Stage, fail } from '../support/workflow.js'

const plan = rollbackPlan()
const request = rollbackRequest()
const steps = plan.steps.map((step) => step.act.name)
const swap = steps.indexOf('swapDatabase')
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

test('a rollback builds the database beside the live one before it stops anything, and swaps once the files are back', async () => {
  const result = await (await stage.start('rollbackWorkflow', request)).result()
  expect(stage.all).toEqual([
    'plan',
    'acquireLease',
    'plan',
    'recordPlan',
    'takeRestorePoint',
    'keepImages',
    'restoreDatabase',
    'stopServices',
    'restoreImages',
    'restoreFiles',
    'swapDatabase',
    'startServices',
    'checkHealth',
    'checkVersion',
    'collectLogs',
    'observeEnd',
    'finishRun',
  ])
  expect(result).toMatchObject({ phase: 'done', kind: 'rollback', scope: 'full', restorePoint: plan.safety })
})

describe('a definite failure', () => {
  const atOnce = steps.map((name, k) => [k + 1, name, k] as const).filter(([, , k]) => k <= swap)
  test.each(atOnce)(
    'at step %i, %s, up to the commit step, undoes exactly what was started',
    async (_number, name, k) => {
      stage.on(name, fail('StepFailed', 'no'))
      const failure = await (await stage.start('rollbackWorkflow', request)).failure()
      expect(failure.type).toBe('Undone')
      const last = endOfGroup(plan, k)
      expect(stage.acts).toEqual([...steps.slice(0, last + 1), ...undosOf(plan, last)])
      expect(failure.details.steps.map((step) => step.state)).toEqual(statesAfterUndo(plan, k, last))
    },
  )

  const behind = steps
    .map((name, k) => [k + 1, name, k] as const)
    .filter(([, , k]) => k > swap && !plan.steps[k]!.background)
  test.each(behind)(
    'at step %i, %s, behind the commit step, waits for a person and is never undone by itself',
    async (_number, name, k) => {
      stage.on(name, fail('StepFailed', 'no'))
      const run = await stage.start('rollbackWorkflow', request)
      const waiting = await run.until('waiting-for-operator')
      expect(waiting.gate).toEqual({ asks: 'resolve', why: `${plan.steps[k]!.act.title}: no`, until: '' })
      await stage.sleep('10 days')
      expect((await run.progress()).phase).toBe('waiting-for-operator')
      expect(stage.acts).toEqual(steps.slice(0, k + 1))
      await run.answer('resolve', { by: 'ann', action: 'abort' })
      const failure = await run.failure()
      expect(failure.type).toBe('Undone')
      expect(stage.acts).toEqual([...steps.slice(0, k + 1), ...undosOf(plan, k)])
    },
  )
})

test('a start that failed in a rollback without a swap waits, too: it has replaced containers', async () => {
  const migrating = rollbackPlan(undefined, undefined)
  const without = { ...migrating, steps: migrating.steps.filter(({ act }) => !/Database/.test(act.name)) }
  stage.reset(without)
  stage.on('startServices', fail('StepFailed'))
  const run = await stage.start('rollbackWorkflow', request)
  await run.until('waiting-for-operator')
  await run.answer('resolve', { by: 'ann', action: 'abort' })
  expect((await run.failure()).type).toBe('Undone')
})

test('a swap of which nobody knows the outcome is asked about without a deadline', async () => {
  stage.on('swapDatabase', fail('Unreachable', 'connection lost'))
  const run = await stage.start('rollbackWorkflow', request)
  expect((await run.until('waiting-for-operator')).gate!.until).toBe('')
  await stage.sleep('2 days')
  expect((await run.progress()).phase).toBe('waiting-for-operator')
  await run.answer('resolve', { by: 'ann', action: 'abort' })
  expect((await run.failure()).type).toBe('Undone')
  expect(stage.acts.slice(swap + 1)).toEqual(undosOf(plan, swap))
})

test('an unknown failure before the commit step waits 30 minutes, and undoes then', async () => {
  stage.on('restoreFiles', fail('Unreachable'))
  const failure = await (await stage.start('rollbackWorkflow', request)).failure()
  expect(failure.type).toBe('Undone')
  expect(failure.details.durationMs).toBeGreaterThanOrEqual(30 * 60_000)
})
