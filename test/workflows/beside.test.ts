// Steps at the same time as the one before them, and what is kept beside the look at the end.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rollbackPlan, rollbackRequest } from '../support/plans.js'
import { Stage, fail, failTimes } from '../support/workflow.js'

const request = rollbackRequest({ strategy: 'restore' })
const plan = rollbackPlan(request)
const indexOf = (name: string) => plan.steps.findIndex(({ act }) => act.name === name)
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

/** Neither ends before the other one has begun. */
function meeting(...names: readonly ('takeRestorePoint' | 'restoreDatabase' | 'collectLogs' | 'observeEnd')[]) {
  const begun: (() => void)[] = []
  const all = Promise.all(names.map(() => new Promise<void>((resolve) => begun.push(resolve))))
  for (const [index, name] of names.entries()) {
    stage.on(name, async () => {
      begun[index]!()
      await all
      return name === 'observeEnd' ? [] : { detail: null, attempts: 1 }
    })
  }
}

test('the plan builds the database and keeps images beside the restore point, and gives images back while it stops', () => {
  const pairs = plan.steps.flatMap((step, index) =>
    step.beside ? [`${plan.steps[index - 1]!.act.name} ${step.act.name}`] : [],
  )
  expect(pairs).toEqual(['takeRestorePoint keepImages', 'keepImages restoreDatabase', 'stopServices restoreImages'])
})

test('two steps run at the same time, and the next one waits for both', async () => {
  meeting('takeRestorePoint', 'restoreDatabase')
  const result = await (await stage.start('rollbackWorkflow', request)).result()
  expect(result.phase).toBe('done')
  const ended = (name: string) => Date.parse(result.steps[indexOf(name)]!.finishedAt!)
  const next = Date.parse(result.steps[indexOf('stopServices')]!.startedAt!)
  expect(next).toBeGreaterThanOrEqual(Math.max(ended('takeRestorePoint'), ended('restoreDatabase')))
})

test('where one fails the other comes to its end, and what there is to undo is undone', async () => {
  let ended = false
  stage.on('takeRestorePoint', fail('StepFailed', 'no room'))
  stage.on('restoreDatabase', async () => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    ended = true
    return { detail: null, attempts: 1 }
  })
  const failure = await (await stage.start('rollbackWorkflow', request)).failure()
  expect(failure).toMatchObject({ type: 'Undone', message: 'no room; everything was put back' })
  expect(ended).toBe(true)
  expect(stage.acts).toContain('undo dropNewDatabase')
  expect(stage.acts).not.toContain('undo startServices')
  expect(stage.acts).not.toContain('stopServices')
})

test('where nobody knows of either how it ended, a person is asked about one after the other', async () => {
  stage.on('takeRestorePoint', failTimes(1, 'Unreachable'))
  stage.on('restoreDatabase', failTimes(1, 'Unreachable'))
  const run = await stage.start('rollbackWorkflow', request)
  for (const closed of [0, 1]) {
    await expect
      .poll(async () => {
        const { gate, gates = [] } = await run.progress()
        return gate !== null && gates.length === closed
      })
      .toBe(true)
    // Until what keeps the lease meanwhile has begun: its cancel would else cross with its start.
    await new Promise((resolve) => setTimeout(resolve, 300))
    await run.answer('resolve', { by: 'ann', action: 'retry' })
  }
  const result = await run.result()
  expect(result.phase).toBe('done')
  const asked = result.gates!.map(({ why }) => why.split(' ')[0]!).toSorted()
  expect(asked).toEqual(['build', 'take'])
})

test('the lines of the log are kept beside the look at the end', async () => {
  meeting('collectLogs', 'observeEnd')
  const result = await (await stage.start('rollbackWorkflow', request)).result()
  expect(result.phase).toBe('done')
  expect(result.steps.at(-1)).toMatchObject({ name: 'collectLogs', state: 'done' })
})

test('lines that could not be kept cost the run nothing, and their step says why', async () => {
  stage.on('collectLogs', fail('StepFailed', 'no such service'))
  const result = await (await stage.start('rollbackWorkflow', request)).result()
  expect(result.phase).toBe('done')
  expect(result.steps.at(-1)).toMatchObject({ state: 'failed', detail: 'no such service' })
})
