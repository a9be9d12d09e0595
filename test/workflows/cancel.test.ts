// Apart from the others: the server that skips time stands still once an activity was cancelled.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  deployPlan,
  deployRequest,
  exposure,
  candidate,
  rollbackPlan,
  rollbackRequest,
  endOfGroup,
  undosOf,
} from '../support/plans.js'
import { Stage, fail, untilCancelled } from '../support/workflow.js'

const kinds = [
  { type: 'deployWorkflow', plan: deployPlan(), request: deployRequest() },
  { type: 'rollbackWorkflow', plan: rollbackPlan(), request: rollbackRequest() },
] as const
const [deploy] = kinds
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())

describe.each(kinds)('a cancel of a $type', ({ type, plan, request }) => {
  const steps = plan.steps.map((step) => step.act.name)
  beforeEach(() => stage.reset(plan))

  test.each(steps.map((name, k) => [k + 1, name, k] as const))(
    'at step %i, %s, undoes and says that it was cancelled',
    async (_number, name, k) => {
      const working = onceWorking((started) => stage.on(name, untilCancelled(started)))
      const run = await stage.start(type, request)
      await working
      // What goes on beside it has to be over: a cancel that crossed with its end would be delivered by neither.
      const { background, beside } = plan.steps[k]!
      if (background || beside || endOfGroup(plan, k) > k) await new Promise((resolve) => setTimeout(resolve, 300))
      await run.handle.cancel()
      const failure = await run.failure()
      expect(failure.type).toBe('Undone')
      expect(failure.details.cancelled).toBe(true)
      const last = endOfGroup(plan, k)
      expect(stage.acts).toEqual([...steps.slice(0, last + 1), ...undosOf(plan, last)])
    },
  )

  test('during the look at the end still undoes: what was not seen is not done', async () => {
    let looks = 0
    const working = onceWorking((started) => {
      stage.on('observeEnd', (input) => (looks++ === 0 ? untilCancelled(started)(input) : []))
    })
    const run = await stage.start(type, request)
    await working
    // A cancel that crossed with the end of the step beside it would be delivered by neither.
    await expect.poll(async () => (await run.progress()).steps.at(-1)!.finishedAt).not.toBeNull()
    await run.handle.cancel()
    const failure = await run.failure()
    expect(failure.type).toBe('Undone')
    expect(failure.details.cancelled).toBe(true)
    expect(stage.acts).toEqual([...steps, ...undosOf(plan, steps.length - 1)])
  })

  test.each(['plan', 'acquireLease', 'recordPlan'] as const)(
    'during %s, before the first change, ends as cancelled',
    async (name) => {
      const working = onceWorking((started) => stage.on(name, untilCancelled(started)))
      const run = await stage.start(type, request)
      await working
      await run.handle.cancel()
      const failure = await run.failure()
      expect(failure.type).toBe('Cancelled')
      expect(failure.details.phase).toBe('cancelled')
      expect(failure.details.finishedAt).not.toBeNull()
      expect(stage.acts).toEqual([])
      // The lease was given back where it had been taken.
      expect(stage.calls('finishRun').map((input) => input.outcome)).toEqual(name === 'recordPlan' ? ['cancelled'] : [])
    },
  )
})

test('a cancel while an approval is waited for ends as cancelled, and touches nothing', async () => {
  stage.reset(lossy)
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  await run.handle.cancel()
  expect((await run.failure()).type).toBe('Cancelled')
  expect(stage.all).toEqual(['plan'])
})

test('a cancel at a gate of a failed step undoes', async () => {
  stage.reset(deploy.plan)
  stage.on('buildImages', fail('Unreachable'))
  const run = await stage.start('deployWorkflow', deploy.request)
  await run.until('waiting-for-operator')
  await run.handle.cancel()
  const failure = await run.failure()
  expect(failure.type).toBe('Undone')
  expect(failure.details.cancelled).toBe(true)
  expect(stage.acts.slice(4)).toEqual(undosOf(deploy.plan, 3))
})

test('a cancel while undoing changes nothing: the undo goes on to its end', async () => {
  stage.reset(deploy.plan)
  stage.on('migrateUp', fail('StepFailed', 'bad migration'))
  const working = onceWorking((started) => {
    stage.on(
      'restoreImages',
      async () => (started(), await new Promise((resolve) => setTimeout(resolve, 300)), { detail: null, attempts: 1 }),
      { undo: true },
    )
  })
  const run = await stage.start('deployWorkflow', deploy.request)
  await working
  await run.handle.cancel()
  const failure = await run.failure()
  expect(failure.type).toBe('Undone')
  expect(failure.details.cancelled).toBeUndefined()
  expect(stage.acts.slice(5)).toEqual(undosOf(deploy.plan, 4))
})

test('the lease is kept while a gate under it is open, and let go of once it is answered', async () => {
  stage.reset(deploy.plan)
  let kept = 'no'
  stage.on('buildImages', fail('Unreachable'))
  stage.on('keepLease', async (input) => {
    kept = 'yes'
    await untilCancelled()(input).finally(() => (kept = 'no longer'))
  })
  const run = await stage.start('deployWorkflow', deploy.request)
  await run.until('waiting-for-operator')
  await expect.poll(() => kept).toBe('yes')
  await run.answer('resolve', { by: 'ann', action: 'skip' })
  await run.result()
  expect(kept).toBe('no longer')
  expect(stage.calls('keepLease')).toEqual([{ target: 'shop', token: 7 }])
})

test('a lease that is lost while a gate is open ends the run as fenced, with nothing more done', async () => {
  stage.reset(deploy.plan)
  stage.on('buildImages', fail('Unreachable'))
  stage.on('keepLease', fail('Fenced', 'token 8 is in force'))
  const failure = await (await stage.start('deployWorkflow', deploy.request)).failure()
  expect(failure.type).toBe('Fenced')
  expect(failure.details.phase).toBe('fenced')
  expect(stage.all.slice(-2)).toEqual(['buildImages', 'keepLease'])
})

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))

function onceWorking(arrange: (started: () => void) => void): Promise<void> {
  return new Promise((resolve) => arrange(resolve))
}
