// What is tried before anybody is asked: under a lease of its own, which is given back before the gate.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CarriedTable } from '../../src/plan/carry.js'
import type { Plan } from '../../src/plan/plan.js'
import {
  afterDeploy,
  candidate,
  carried,
  database,
  exposure,
  m1,
  m3,
  records,
  rollbackPlan,
  rollbackRequest,
} from '../support/plans.js'
import { Stage, fail, ownRun, untilCancelled } from '../support/workflow.js'

const request = rollbackRequest({ carryForward: 'all' })
const found = candidate({ exposure: exposure(12), carryable: [{ table: 'orders', root: 'orders', key: true }] })
const seen = afterDeploy({ database: database({ applied: [m1.name, m3.name] }) })
const unrehearsed = rollbackPlan(request, seen, found)
const rehearsedWith = (figures: Partial<CarriedTable>): Plan => {
  const { restorePoint } = unrehearsed
  const run = { workflowId: 'rollback-shop', runId: 'this' }
  const entry = {
    kind: 'rehearsed',
    run,
    restorePoint: restorePoint!,
    tables: 'all',
    carried: [carried('orders', figures)],
  } as const
  return rollbackPlan(request, { ...seen, records: records(...seen.records.map((it) => it.entry), entry) }, found)
}
const whole = rehearsedWith({ carried: 12 })
const part = rehearsedWith({ carried: 9, notFitting: 3, lost: 3 })
const steps = unrehearsed.steps.map((step) => step.act.name)
const rehearsal = ['acquireLease', 'recordPlan', 'restoreDatabase', 'rehearseCarry', 'dropNewDatabase', 'finishRun']
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(unrehearsed, whole))

test('the lease is taken for the rehearsal alone and given back, and what could all be carried asks nobody', async () => {
  const result = await (await stage.start('rollbackWorkflow', request)).result()
  expect(stage.all).toEqual([
    'plan',
    ...rehearsal,
    'plan',
    'acquireLease',
    'plan',
    'recordPlan',
    ...steps,
    'observeEnd',
    'finishRun',
  ])
  expect(stage.calls('acquireLease')).toEqual([
    { target: 'shop', kind: 'rollback', waits: true },
    { target: 'shop', kind: 'rollback' },
  ])
  expect(stage.calls('recordPlan')[0]).toMatchObject({ plan: { kind: 'rehearsal' } })
  expect(stage.calls('finishRun')[0]).toEqual({ target: 'shop', token: 7, outcome: 'rehearsed' })
  expect(result).toMatchObject({
    phase: 'done',
    plan: { carry: { tables: 'all', rehearsed: { tables: [{ carried: 12 }] } } },
  })
})

test('the gate stands without a lease, and shows what the rehearsal could not carry', async () => {
  stage.reset(unrehearsed, part)
  const run = await stage.start('rollbackWorkflow', request)
  const waiting = await run.until('waiting-for-approval')
  expect(waiting.gate!.why).toBe('3 rows would be lost')
  expect(waiting.plan!.notes).toContain('carry forward orders: 9 carried, 0 conflicting, 3 not fitting (exact)')
  expect(waiting.steps.map((step) => step.name)).toEqual(steps)
  expect(stage.all).toEqual(['plan', ...rehearsal, 'plan'])
  await run.answer('approve', { by: 'ann', digest: part.digest })
  expect((await run.result()).phase).toBe('done')
  expect(stage.acts).toEqual(['restoreDatabase', 'rehearseCarry', 'dropNewDatabase', ...steps])
})

test('a dry run rehearses nothing', async () => {
  const result = await (await stage.start('rollbackWorkflow', { ...request, dryRun: true })).result()
  expect(stage.all).toEqual(['plan'])
  expect(result.plan).toMatchObject({ carry: { rehearsed: null }, notes: ['carry forward all tables: not rehearsed'] })
})

test('what others left is undone before anything is tried', async () => {
  const restoring = whole.steps.findIndex(({ act }) => act.name === 'restoreDatabase')
  const debt = { run: { workflowId: 'deploy-shop-dead', runId: 'dead' }, plan: whole, started: [restoring] }
  let debts = [debt]
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: debts.splice(0) }))
  debts = [debt]
  await (await stage.start('rollbackWorkflow', request)).result()
  expect(stage.acts.slice(0, 3)).toEqual(['undo dropNewDatabase', 'restoreDatabase', 'rehearseCarry'])
  expect(stage.all.slice(0, 5)).toEqual(['plan', 'acquireLease', 'undo dropNewDatabase', 'closeDebt', 'recordPlan'])
})

describe('a rehearsal that', () => {
  const undone = [
    'plan',
    'acquireLease',
    'recordPlan',
    'restoreDatabase',
    'rehearseCarry',
    'undo dropNewDatabase',
    'finishRun',
  ]

  test('fails is undone, gives the lease back, and refuses the run before its first change', async () => {
    stage.on('rehearseCarry', fail('StepFailed', 'no key'))
    const failure = await (await stage.start('rollbackWorkflow', request)).failure()
    expect(failure).toMatchObject({ type: 'Refused', message: 'the rehearsal failed, and nothing was changed: no key' })
    expect(stage.all).toEqual(undone)
    expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'not-rehearsed' }])
  })

  test('leaves something behind says what', async () => {
    stage.on('rehearseCarry', fail('StepFailed', 'no key'))
    stage.on('dropNewDatabase', fail('StepFailed', 'in use'), { undo: true })
    const run = await stage.start('rollbackWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    const failure = await run.failure()
    expect(failure).toMatchObject({
      type: 'NotUndone',
      message: 'no key; left: drop the database that was built: in use',
    })
  })

  test('is fenced changes nothing more', async () => {
    stage.on('rehearseCarry', fail('Fenced', 'taken over'))
    expect((await (await stage.start('rollbackWorkflow', request)).failure()).type).toBe('Fenced')
    expect(stage.all.slice(0, 5)).toEqual(['plan', 'acquireLease', 'recordPlan', 'restoreDatabase', 'rehearseCarry'])
    expect(stage.acts).not.toContain('undo dropNewDatabase')
  })

  test('finds its earlier self at the lease starts over', async () => {
    let times = 0
    stage.on('recordPlan', () => (times++ === 0 ? fail('StaleLease')(undefined) : undefined))
    expect((await (await stage.start('rollbackWorkflow', request)).result()).phase).toBe('done')
    expect(stage.all.slice(0, 4)).toEqual(['plan', 'acquireLease', 'recordPlan', 'acquireLease'])
  })
})

describe('last, since the server that skips time stands still once an activity was cancelled:', () => {
  test('a cancel in the rehearsal undoes it and ends as cancelled', async () => {
    const working = new Promise<void>((resolve) => stage.on('rehearseCarry', untilCancelled(resolve)))
    const run = await stage.start('rollbackWorkflow', request)
    await working
    await run.handle.cancel()
    const failure = await run.failure()
    expect(failure.type).toBe('Cancelled')
    expect(failure.details).toMatchObject({ phase: 'cancelled' })
    expect(stage.all).toEqual([
      'plan',
      'acquireLease',
      'recordPlan',
      'restoreDatabase',
      'rehearseCarry',
      'undo dropNewDatabase',
      'finishRun',
    ])
  })
})
