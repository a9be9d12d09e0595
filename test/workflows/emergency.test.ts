import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ownRun } from '../../src/activities/context.js'
import { emergencyFacts, emergencyPlan, emergencyRequest } from '../support/emergencies.js'
import { container, records } from '../support/plans.js'
import { Stage, fail } from '../support/workflow.js'

const request = emergencyRequest()
const plan = emergencyPlan()
const start = emergencyRequest({ procedure: 'start' })
const stopped = records({ kind: 'stopped', run: { workflowId: 'stop', runId: '0' }, ran: ['api'] })
const startPlan = emergencyPlan(
  start,
  emergencyFacts({ records: stopped, containers: [container('db'), container('api', { running: false })] }),
)
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

test('an emergency looks once, takes the lease, and acts', async () => {
  const result = await (await stage.start('emergencyWorkflow', request)).result()
  expect(stage.all).toEqual([
    'plan',
    'acquireLease',
    'recordPlan',
    'recordStop',
    'stopServices',
    'fenceDatabase',
    'observeEnd',
    'finishRun',
  ])
  const begins = { plan, asked: expect.objectContaining({ kind: 'emergency' }) }
  expect(stage.calls('acquireLease')).toEqual([{ target: 'shop', kind: 'emergency', begins }])
  expect(result).toMatchObject({ phase: 'done', kind: 'emergency', scope: 'stop', restorePoint: null })
})

test('what it plans is written down with the lease', async () => {
  stage.on('acquireLease', ({ begins }) => ({ token: 7, run: ownRun(), debts: [], ...(begins ? { begun: true } : {}) }))
  expect((await (await stage.start('emergencyWorkflow', request)).result()).phase).toBe('done')
  expect(stage.calls('acquireLease')[0].begins).toMatchObject({ plan, asked: { kind: 'emergency' } })
  expect(stage.all.slice(0, 3)).toEqual(['plan', 'acquireLease', 'recordStop'])
})

test('a dry run only plans', async () => {
  const result = await (await stage.start('emergencyWorkflow', { ...request, dryRun: true })).result()
  expect(stage.all).toEqual(['plan'])
  expect(result.steps.map((it) => it.state)).toEqual(['pending', 'pending', 'pending'])
})

describe('a definite failure', () => {
  test('before the stop takes the record back, so that the guard goes on', async () => {
    stage.on('recordStop', fail('StepFailed', 'no'))
    expect(await (await stage.start('emergencyWorkflow', request)).failure()).toMatchObject({ type: 'Undone' })
    expect(stage.acts).toEqual(['recordStop', 'undo recordStart'])
  })

  test('behind the stop waits for a person, and starts nothing by itself', async () => {
    const asks = emergencyRequest({ procedure: 'unresponsive' })
    stage.reset(emergencyPlan(asks))
    stage.on('collectLogs', fail('StepFailed', 'no'))
    const run = await stage.start('emergencyWorkflow', asks)
    await run.until('waiting-for-operator')
    expect(stage.acts.slice(3).toSorted()).toEqual(['askDatabase', 'collectLogs', 'giveVerdict'])
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    expect((await run.result()).phase).toBe('done')
  })

  test('of the fence is said by its step, and holds up nothing: the next run ends what earlier ones left', async () => {
    stage.on('fenceDatabase', fail('StepFailed', 'no'))
    const result = await (await stage.start('emergencyWorkflow', request)).result()
    expect(result.phase).toBe('done')
    expect(result.steps.at(-1)).toMatchObject({ name: 'fenceDatabase', state: 'failed', detail: 'no' })
  })

  test('of health behind a start waits for a person, for as long as it takes', async () => {
    stage.reset(startPlan)
    stage.on('checkHealth', fail('StepFailed', 'api: status 503'))
    const run = await stage.start('emergencyWorkflow', start)
    expect((await run.until('waiting-for-operator')).gate).toMatchObject({ asks: 'resolve', until: '' })
    expect(stage.acts).toEqual(['startServices', 'checkHealth'])
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    expect((await run.failure()).type).toBe('Undone')
    expect(stage.acts.slice(2)).toEqual(['undo stopServices'])
  })
})

test('an emergency that another one fenced changes nothing more', async () => {
  stage.on('stopServices', fail('Fenced', 'token 7 is not in force; 8 is, held by emergency'))
  const failure = await (await stage.start('emergencyWorkflow', request)).failure()
  expect(failure).toMatchObject({ type: 'Fenced', message: expect.stringContaining('held by emergency') })
  expect(stage.acts).toEqual(['recordStop', 'stopServices'])
})
