import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Debt } from '../../src/plan/ledger.js'
import {
  candidate,
  deployPlan,
  deployRequest,
  exposure,
  m3,
  rollbackPlan,
  rollbackRequest,
  undosOf,
} from '../support/plans.js'
import { Stage, fail, ownRun } from '../support/workflow.js'

const plan = deployPlan()
const request = deployRequest()
const dead = { workflowId: 'deploy-shop-dead', runId: '00000000-dead' }
const debt: Debt = { run: dead, plan: deployPlan(deployRequest({ version: '2.0.9' })), started: [0, 1, 2, 3] }
const asking: Debt = {
  run: { ...dead, workflowId: 'rollback-shop-dead' },
  plan: rollbackPlan(),
  started: [0, 1, 2, 3, 4, 5],
  ask: 'a rollback that reached its commit step',
}
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

const glance = { lease: 6, at: 0, sha256: 'as it was' }

/** Finds all as it was, under the lease. */
function glancing(...debts: readonly Debt[]) {
  stage.on('plan', () => ({ plan, searchable: false, audits: true, glance }))
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts, ...(debts.length > 0 ? {} : { unchanged: true }) }))
}

function owing(...debts: readonly Debt[]) {
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts }))
}

describe('under the lease', () => {
  test('a target that is as it was a moment ago is not planned for again', async () => {
    glancing()
    const result = await (await stage.start('deployWorkflow', request)).result()
    expect(stage.calls('acquireLease')).toMatchObject([{ since: glance }])
    expect(stage.all.slice(0, 3)).toEqual(['plan', 'acquireLease', 'recordPlan'])
    expect(stage.calls('recordPlan')).toMatchObject([{ plan: { digest: plan.digest } }])
    expect(result).toMatchObject({ phase: 'done', plan: { digest: plan.digest } })
  })

  test('one that was changed since, by the undo of what others left, is planned for anew', async () => {
    glancing(debt)
    const result = await (await stage.start('deployWorkflow', request)).result()
    expect(stage.calls('plan')).toHaveLength(2)
    expect(result.plan!.digest).toBe(plan.digest)
  })
})

describe('a debt', () => {
  test('is paid under the new lease, last step first, before the own plan is made and written down', async () => {
    owing(debt)
    const result = await (await stage.start('deployWorkflow', request)).result()
    expect(stage.all.slice(0, 10)).toEqual([
      'plan',
      'acquireLease',
      'undo restoreImages',
      'undo restoreFiles',
      'undo startServices',
      'undo checkHealth',
      'closeDebt',
      'plan',
      'recordPlan',
      'takeRestorePoint',
    ])
    expect(stage.calls('closeDebt')).toMatchObject([{ target: 'shop', token: 7, run: dead, how: 'undone' }])
    expect(result.phase).toBe('done')
    expect(result.plan!.digest).toBe(plan.digest)
  })

  test('is paid with the plan and the names of the run that left it, and the own token', async () => {
    owing(debt)
    await (await stage.start('deployWorkflow', request)).result()
    expect(stage.calls('restoreFiles')[0]).toMatchObject({
      token: 7,
      origin: dead,
      safety: debt.plan.safety,
      step: 2,
      stepName: 'putFiles',
      undo: 1,
    })
  })

  test('is shown while it is paid', async () => {
    owing(debt)
    stage.on('restoreFiles', fail('StepFailed', 'disk full'), { undo: true })
    const run = await stage.start('deployWorkflow', request)
    const waiting = await run.until('waiting-for-operator')
    expect(waiting.plan!.digest).toBe(debt.plan.digest)
    expect(waiting.steps.map((step) => step.state).slice(0, 5)).toEqual([
      'failed',
      'failed',
      'failed',
      'undone',
      'pending',
    ])
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    await run.failure()
  })

  test('several of them are paid in their order', async () => {
    const older = { ...debt, run: { ...dead, runId: '00000000-older' } }
    owing(debt, older)
    await (await stage.start('deployWorkflow', request)).result()
    expect(stage.calls('closeDebt').map((input) => input.run.runId)).toEqual([dead.runId, '00000000-older'])
  })

  test('that cannot be undone is left to the next run once a person aborts, and this one ends as NotUndone', async () => {
    owing(debt)
    stage.on('restoreFiles', fail('StepFailed', 'disk full'), { undo: true })
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    const failure = await run.failure()
    expect(failure.type).toBe('NotUndone')
    expect(failure.message).toContain(
      'the unfinished run deploy-shop-dead could not be undone: put the files back as they were: disk full',
    )
    expect(stage.calls('closeDebt')).toEqual([])
    expect(stage.calls('finishRun')).toHaveLength(1)
  })

  test('of which a person skips a part is accepted, and does not block the target for ever', async () => {
    owing(debt)
    stage.on('restoreFiles', fail('StepFailed', 'disk full'), { undo: true })
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    expect((await run.result()).phase).toBe('done')
    expect(stage.calls('closeDebt')).toMatchObject([{ how: 'accepted' }])
  })

  test('of a stack that was unhealthy before blocks nothing', async () => {
    owing(debt)
    stage.on('checkHealth', fail('StepFailed', 'api: 500'), { undo: true })
    expect((await (await stage.start('deployWorkflow', request)).result()).phase).toBe('done')
  })

  test('whose undo would lose rows waits for an approval of exactly that plan', async () => {
    const lossy = deployPlan(deployRequest({ migrateTo: m3.revision }))
    owing({ run: dead, plan: lossy, started: [0, 1, 2, 3, 4] })
    const refuse = fail('ExposureExceeded', '5 rows', { exposure: exposure(5) })
    stage.on('swapDatabase', (input) => (input.args.mayLoseRows >= 5 ? { detail: null, attempts: 1 } : refuse(input)), {
      undo: true,
    })
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    expect((await run.refusal('approve', { by: 'ann' })).type).toBe('ApprovalRefused')
    expect((await run.refusal('approve', { by: 'ann', digest: plan.digest })).type).toBe('ApprovalRefused')
    await run.answer('approve', { by: 'ann', digest: lossy.digest })
    expect((await run.result()).phase).toBe('done')
  })
})

describe('a debt that is not undone by itself', () => {
  async function atGate() {
    owing(asking)
    const run = await stage.start('deployWorkflow', request)
    const waiting = await run.until('waiting-for-operator')
    expect(waiting.gate).toMatchObject({ asks: 'resolve', until: '' })
    expect(waiting.gate!.why).toContain(
      'rollback-shop-dead ended without an end: a rollback that reached its commit step',
    )
    expect(stage.acts).toEqual([])
    return run
  }

  test('is undone where a person says retry', async () => {
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'retry' })
    await run.result()
    expect(stage.calls('closeDebt')).toMatchObject([{ how: 'undone' }])
    expect(stage.acts.slice(0, 5)).toEqual(undosOf(asking.plan, 5))
  })

  test('is accepted where a person says skip', async () => {
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    await run.result()
    expect(stage.calls('closeDebt')).toMatchObject([{ how: 'accepted' }])
    expect(stage.acts[0]).toBe('takeRestorePoint')
  })

  test('is not built upon: where a person keeps it, what lies below is not undone unasked', async () => {
    const below = { ...debt, askOnceKept: 'what rollback-shop-dead did upon it was kept' }
    owing(asking, below)
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    await expect.poll(() => stage.calls('closeDebt').length).toBe(1)
    await run.until('waiting-for-operator')
    expect(stage.acts).toEqual([])
    await run.answer('resolve', { by: 'ann', action: 'skip' })
    await run.result()
    expect(stage.calls('closeDebt')).toMatchObject([{ how: 'accepted' }, { how: 'accepted' }])
    expect(stage.acts[0]).toBe('takeRestorePoint')
  })

  test('is asked about alone: where a person has it undone, what lies below is, too', async () => {
    owing(asking, { ...debt, askOnceKept: 'what rollback-shop-dead did upon it was kept' })
    const run = await stage.start('deployWorkflow', request)
    await run.until('waiting-for-operator')
    await run.answer('resolve', { by: 'ann', action: 'retry' })
    await run.result()
    expect(stage.calls('closeDebt')).toMatchObject([{ how: 'undone' }, { how: 'undone' }])
  })

  test('stays where a person says abort, and the run is Refused with the lease given back', async () => {
    const run = await atGate()
    await run.answer('resolve', { by: 'ann', action: 'abort' })
    expect((await run.failure()).type).toBe('Refused')
    expect(stage.calls('closeDebt')).toEqual([])
    expect(stage.calls('finishRun')).toHaveLength(1)
  })
})

describe('a fenced run', () => {
  test.each(['acquireLease', 'recordPlan', 'putFiles', 'finishRun'] as const)(
    'that learns it in %s ends as Fenced, and does nothing more',
    async (name) => {
      stage.on(name, fail('Fenced', 'token 8 is in force, held by rollback other'))
      const failure = await (await stage.start('deployWorkflow', request)).failure()
      expect(failure).toMatchObject({
        type: 'Fenced',
        message: 'token 8 is in force, held by rollback other',
        details: { phase: 'fenced' },
      })
      expect(stage.all.at(-1)).toBe(name)
    },
  )

  test('that learns it while undoing stops undoing', async () => {
    stage.on('migrateUp', fail('StepFailed'))
    stage.on('restoreImages', fail('Fenced', 'token 8'), { undo: true })
    const failure = await (await stage.start('deployWorkflow', request)).failure()
    expect(failure).toMatchObject({ type: 'Fenced', details: { phase: 'fenced' } })
    expect(stage.all.at(-1)).toBe('undo restoreImages')
  })

  test('that learns it while paying a debt stops, too', async () => {
    owing(debt)
    stage.on('restoreFiles', fail('Fenced', 'token 8'), { undo: true })
    expect((await (await stage.start('deployWorkflow', request)).failure()).type).toBe('Fenced')
    expect(stage.all.at(-1)).toBe('undo restoreFiles')
  })
})

describe('a run whose lease is of its own earlier run id', () => {
  test('starts over: acquires, pays what its earlier self left, plans, and walks from the first step', async () => {
    let acquired = 0
    stage.on('acquireLease', () => ({ token: 7 + acquired, run: ownRun(), debts: acquired++ === 0 ? [] : [debt] }))
    let stale = true
    stage.on('putFiles', () => {
      if (stale) {
        stale = false
        return fail('StaleLease')(undefined)
      }
      return { detail: null, attempts: 1 }
    })
    const result = await (await stage.start('deployWorkflow', request)).result()
    expect(stage.all).toEqual([
      'plan',
      'acquireLease',
      'plan',
      'recordPlan',
      'takeRestorePoint',
      'keepImages',
      'putFiles',
      'acquireLease',
      ...undosOf(debt.plan, 3),
      'closeDebt',
      'plan',
      'recordPlan',
      ...plan.steps.map((step) => step.act.name),
      'observeEnd',
      'finishRun',
    ])
    expect(stage.calls('finishRun')[0].token).toBe(8)
    expect(result.steps.every((step) => step.state === 'done')).toBe(true)
  })

  test('that learns it while paying a debt still knows its own plan and kind', async () => {
    const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
    stage.reset(lossy)
    owing(debt)
    let stale = true
    stage.on('closeDebt', () => {
      if (!stale) return
      stale = false
      return fail('StaleLease')(undefined)
    })
    const run = await stage.start('rollbackWorkflow', rollbackRequest())
    await run.until('waiting-for-approval')
    await run.answer('approve', { by: 'ann', digest: lossy.digest })
    expect((await run.result()).phase).toBe('done')
    expect(stage.calls('acquireLease').map((input) => input.kind)).toEqual(['rollback', 'rollback'])
  })
})
