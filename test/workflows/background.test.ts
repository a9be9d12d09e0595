import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { deployPlan, deployRequest, facts, stack } from '../support/plans.js'
import { Stage, fail, failTimes, untilCancelled } from '../support/workflow.js'

const request = deployRequest()
const plan = deployPlan(request, facts({ stack: { ...stack, proof: { ...stack.proof, when: 'background' } } }))
const proof = plan.steps.findIndex((step) => step.background)
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

/** The proof ends once another act has begun. */
function proofUntil(name: 'watchHealth' | 'migrateUp') {
  const begun = new Promise<void>((resolve) =>
    stage.on(name, () => {
      resolve()
      return { detail: null, attempts: 1 }
    }),
  )
  stage.on('proveRestorePoint', async () => {
    await begun
    return { detail: 'proven', attempts: 1 }
  })
}

test('the steps behind it do not wait for a step in the background, and the run waits for it at its end', async () => {
  proofUntil('watchHealth')
  const result = await (await stage.start('deployWorkflow', request)).result()
  expect(result.phase).toBe('done')
  expect(result.steps[proof]).toMatchObject({ name: 'proveRestorePoint', state: 'done', detail: 'proven' })
  expect(result.steps.map((step) => step.state)).toEqual(plan.steps.map(() => 'done'))
})

test('a step in the background that fails says so, and costs the run nothing else', async () => {
  stage.on('proveRestorePoint', fail('StepFailed', 'restore point "x" is broken'))
  const result = await (await stage.start('deployWorkflow', request)).result()
  expect(result.phase).toBe('done')
  expect(result.steps[proof]).toMatchObject({ state: 'failed', detail: 'restore point "x" is broken' })
  expect(stage.acts).not.toContain('undo dropUnprovenCopy')
})

test('what a step in the background left is cleared away where nobody knows how far it came', async () => {
  stage.on('proveRestorePoint', fail('OutcomeUnknown', 'its worker died'))
  const result = await (await stage.start('deployWorkflow', request)).result()
  expect(result.phase).toBe('done')
  expect(result.steps[proof]).toMatchObject({ state: 'failed', detail: 'its worker died' })
  expect(stage.acts.filter((it) => it.endsWith('Copy'))).toEqual(['undo dropUnprovenCopy'])
})

test('what could not be cleared away is said beside the step, and cleared away again by an undo', async () => {
  stage.on('proveRestorePoint', fail('OutcomeUnknown', 'its worker died'))
  stage.on('dropUnprovenCopy', failTimes(1, 'StepFailed'), { undo: true })
  stage.on('watchHealth', fail('StepFailed', 'sick'))
  const failure = await (await stage.start('deployWorkflow', request)).failure()
  expect(failure).toMatchObject({ type: 'Undone', message: 'sick; everything was put back' })
  expect(failure.details.steps[proof]).toMatchObject({
    state: 'undone',
    detail: 'its worker died; drop the copy where it is not whole: StepFailed it was',
  })
  expect(stage.acts.filter((it) => it.endsWith('Copy'))).toEqual(Array(2).fill('undo dropUnprovenCopy'))
})

test('an undo ends the step in the background first, and clears away what it left', async () => {
  stage.on('proveRestorePoint', untilCancelled())
  stage.on('watchHealth', fail('StepFailed', 'sick'))
  const failure = await (await stage.start('deployWorkflow', request)).failure()
  expect(failure).toMatchObject({ type: 'Undone', message: 'sick; everything was put back' })
  expect(stage.acts.filter((it) => it.endsWith('Copy'))).toEqual(['undo dropUnprovenCopy'])
  expect(failure.details.steps[proof]!.state).toBe('undone')
})

test('a cancel while only the step in the background goes on undoes the run', async () => {
  const working = new Promise<void>((resolve) => stage.on('proveRestorePoint', untilCancelled(resolve)))
  const collected = new Promise<void>((resolve) =>
    stage.on('collectLogs', () => {
      resolve()
      return { detail: null, attempts: 1 }
    }),
  )
  const run = await stage.start('deployWorkflow', request)
  await Promise.all([working, collected])
  // Behind the last other step: a cancel that crossed with its end would be delivered by neither.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await run.handle.cancel()
  const failure = await run.failure()
  expect(failure).toMatchObject({ type: 'Undone', details: { cancelled: true } })
  expect(stage.acts).toContain('undo dropUnprovenCopy')
})

test('a step in the background that finds the lease lost ends the run as fenced', async () => {
  stage.on('proveRestorePoint', fail('Fenced', 'token 8 is in force'))
  const failure = await (await stage.start('deployWorkflow', request)).failure()
  expect(failure.type).toBe('Fenced')
  expect(stage.acts.filter((it) => it.startsWith('undo'))).toEqual([])
})
