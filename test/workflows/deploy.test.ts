import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { deployPlan, deployRequest, facts, stack, statesAfterUndo, undosOf } from '../support/plans.js'
import { Stage, fail, failTimes } from '../support/workflow.js'

const plan = deployPlan()
const request = deployRequest()
const steps = plan.steps.map((step) => step.act.name)
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

test('a deploy plans, takes the lease, plans again, writes the plan down, walks its steps, looks, and writes its end', async () => {
  await (await stage.start('deployWorkflow', request)).result()
  expect(stage.all).toEqual([
    'plan',
    'acquireLease',
    'plan',
    'recordPlan',
    'takeRestorePoint',
    'keepImages',
    'putFiles',
    'buildImages',
    'migrateUp',
    'startServices',
    'checkHealth',
    'checkVersion',
    'watchHealth',
    'collectLogs',
    'observeEnd',
    'finishRun',
  ])
})

test('an act gets the lease, the run whose plan it is, the safety restore point, its place in the plan and its arguments', async () => {
  const run = await stage.start('deployWorkflow', request)
  await run.result()
  const { runId } = await run.handle.describe()
  expect(stage.calls('putFiles')).toEqual([
    {
      target: 'shop',
      token: 7,
      origin: { workflowId: run.handle.workflowId, runId },
      safety: plan.safety,
      step: 2,
      stepName: 'putFiles',
      undo: 0,
      attempt: 1,
      args: plan.steps[2]!.act.args,
    },
  ])
})

test('a good end names the release for the ledger, and is written once', async () => {
  await (await stage.start('deployWorkflow', request)).result()
  expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'done', plan }])
})

describe('a deploy with checks and a hook', () => {
  const hook = { name: 'notify', when: 'after-healthy', command: ['notify'], timeout: '5m' } as const
  const checked = deployPlan(request, facts({ stack: { ...stack, checks: ['unit'], hooks: [hook] } }))
  const place = checked.steps.findIndex((step) => step.act.name === 'runHook')
  beforeEach(() => stage.reset(checked))

  test('runs the checks once, behind its first look and before the lease', async () => {
    await (await stage.start('deployWorkflow', request)).result()
    expect(stage.all.slice(0, 4)).toEqual(['plan', 'runChecks', 'acquireLease', 'plan'])
    expect(stage.calls('runChecks')).toEqual([{ target: 'shop', ...checked.checks }])
  })

  test('is refused by a check that fails, with nothing changed', async () => {
    stage.on('runChecks', fail('Refused', 'check "unit" failed'))
    const failure = await (await stage.start('deployWorkflow', request)).failure()
    expect(failure).toMatchObject({ type: 'Refused', message: 'check "unit" failed', details: { phase: 'refused' } })
    expect(stage.all).toEqual(['plan', 'runChecks'])
  })

  test('names the checks in a dry run, and runs none', async () => {
    const result = await (await stage.start('deployWorkflow', { ...request, dryRun: true })).result()
    expect(result.plan!.notes).toEqual(['checks before anything else: unit'])
    expect(stage.all).toEqual(['plan'])
  })

  test('is undone where the hook fails', async () => {
    stage.on('runHook', fail('StepFailed'))
    expect((await (await stage.start('deployWorkflow', request)).failure()).type).toBe('Undone')
    expect(stage.acts.slice(place)).toEqual(['runHook', ...undosOf(checked, place)])
  })

  test('asks a person about a hook of unknown end, and does not run it again by itself', async () => {
    stage.on('runHook', failTimes(1, 'OutcomeUnknown'))
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    expect(stage.calls('runHook')).toHaveLength(1)
    await run.answer('resolve', { by: 'ann', action: 'retry' })
    expect((await run.result()).phase).toBe('done')
    expect(stage.calls('runHook').map((input) => input.attempt)).toEqual([1, 2])
  })
})

describe('a definite failure', () => {
  test('of the migration undoes what was started, last first, and gives the lease back after a look', async () => {
    stage.on('migrateUp', fail('StepFailed', 'relation "orders" exists'))
    const failure = await (await stage.start('deployWorkflow', request)).failure()
    expect(failure.type).toBe('Undone')
    expect(failure.message).toBe('relation "orders" exists; everything was put back')
    expect(stage.all.slice(4)).toEqual([
      'takeRestorePoint',
      'keepImages',
      'putFiles',
      'buildImages',
      'migrateUp',
      'undo migrateDown',
      'undo restoreImages',
      'undo restoreFiles',
      'undo startServices',
      'undo checkHealth',
      'observeEnd',
      'finishRun',
    ])
    expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'undone' }])
  })

  const alone = steps.map((name, k) => [k + 1, name, k] as const).filter(([, , k]) => !plan.steps[k]!.background)
  test.each(alone)('at step %i, %s, undoes exactly what was started', async (_number, name, k) => {
    stage.on(name, fail('StepFailed'))
    const failure = await (await stage.start('deployWorkflow', request)).failure()
    expect(failure.type).toBe('Undone')
    expect(stage.acts).toEqual([...steps.slice(0, k + 1), ...undosOf(plan, k)])
    expect(failure.details.steps.map((step) => step.state)).toEqual(statesAfterUndo(plan, k))
  })
})

describe('an unknown failure', () => {
  test('of a deploy waits 30 minutes at a gate, and undoes then', async () => {
    stage.on('buildImages', fail('Unreachable', 'no route'))
    const run = await stage.start('deployWorkflow', request)
    const waiting = await run.until('waiting-for-operator')
    expect(waiting.gate).toMatchObject({ asks: 'resolve', why: 'build api, worker: no route' })
    expect(Date.parse(waiting.gate!.until) - Date.parse(waiting.steps[3]!.finishedAt!)).toBeLessThanOrEqual(
      30 * 60_000 + 5_000,
    )
    const failure = await run.failure()
    expect(failure.type).toBe('Undone')
    expect(stage.acts).toEqual([...steps.slice(0, 4), ...undosOf(plan, 3)])
    expect(failure.details.durationMs).toBeGreaterThanOrEqual(30 * 60_000)
    expect(failure.details.durationMs).toBeLessThan(32 * 60_000)
  })

  test.each(['Unreachable', 'Busy'] as const)(
    'of type %s is tried ten times before a person is asked',
    async (type) => {
      let tries = 0
      stage.on('buildImages', () => {
        tries++
        throw Object.assign(new Error('again'), { name: type })
      })
      expect((await (await stage.start('deployWorkflow', request)).failure()).type).toBe('Undone')
      expect(tries).toBe(10)
    },
  )

  test('of a type that is not ours waits, too: nobody knows what it means', async () => {
    stage.on('buildImages', fail('SomethingNew' as never))
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    expect((await run.failure()).type).toBe('Undone')
  })

  test('goes on after a retry, whose jobs are new ones', async () => {
    stage.on('buildImages', failTimes(2, 'Unreachable'))
    const run = await stage.start('deployWorkflow', request)
    for (let round = 0; round < 2; round++) {
      await run.until('waiting-for-operator')
      expect(await run.answer('resolve', { by: 'ann', action: 'retry' })).toBe('retry by ann')
    }
    const result = await run.result()
    expect(result.phase).toBe('done')
    expect(result.steps[3]).toMatchObject({ state: 'done', attempts: 3, detail: 'at last' })
    expect(stage.calls('buildImages').map((input) => input.attempt)).toEqual([1, 2, 3])
  })

  test('goes on after a skip, and shows it', async () => {
    stage.on('watchHealth', fail('Unreachable'))
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    const result = await run.result()
    expect(result.steps.find(({ name }) => name === 'watchHealth')!.state).toBe('skipped')
    expect(result.phase).toBe('done')
  })

  test('after tries that a person asked for, the undo counts on, so that the jobs of every try are ended', async () => {
    stage.on('putFiles', fail('Unreachable'))
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'retry' })
    await expect.poll(() => stage.calls('putFiles').length).toBe(2)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    await run.failure()
    expect(stage.calls('restoreFiles').map((input) => input.attempt)).toEqual([2])
  })
})

test('a look at the end that cannot reach the host is asked about, and never taken for done', async () => {
  stage.on('observeEnd', fail('Unreachable', 'no route'))
  const run = await stage.start('deployWorkflow', request)
  const waiting = await run.until('waiting-for-operator')
  expect(waiting.gate!.why).toBe('look at what is there now: no route')
  stage.on('observeEnd', () => [])
  await run.answer('resolve', { by: 'ann', action: 'retry' })
  expect((await run.result()).phase).toBe('done')
})

test('the end of a run is written however long the host cannot be reached', async () => {
  let tries = 0
  stage.on('finishRun', () => {
    if (++tries < 15) throw new Error('no route')
  })
  const result = await (await stage.start('deployWorkflow', request)).result()
  expect(result.phase).toBe('done')
  expect(tries).toBe(15)
})
