// What a run asks to be written into the audit record of its target, and the head of it that its result carries.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ended } from '../../src/plan/audit.js'
import type { Plan } from '../../src/plan/plan.js'
import { candidate, deployPlan, deployRequest, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { type Run, Stage, fail, ownRun } from '../support/workflow.js'

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const head = { number: 4, sha256: 'ab'.repeat(32) }
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())

/** As the activities of this version answer. */
function plans(plan: Plan): void {
  stage.reset(plan)
  stage.on('plan', () => ({ plan, searchable: false, audits: true }))
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [], audits: true }))
  stage.on('recordAudit', () => head)
  stage.on('finishRun', () => head)
}

const deploy = (changes: object = {}) =>
  stage.start('deployWorkflow', { ...deployRequest(), requestedBy: 'ann', reason: 'a fix', ...changes })
const events = () => stage.calls('recordAudit').map(({ event }) => event)
const ended = (): Ended => stage.calls('finishRun')[0].ended

async function atGate(changes: object = {}): Promise<Run> {
  plans(lossy)
  const run = await stage.start('rollbackWorkflow', { ...rollbackRequest(), ...changes })
  await run.until('waiting-for-approval')
  return run
}

describe('a run that was done', () => {
  beforeEach(() => plans(deployPlan()))

  test('writes who asked and why with its plan, its steps and what was seen with its end, and carries the head', async () => {
    const run = await deploy()
    expect((await run.result()).audit).toEqual(head)
    const asked = { kind: 'deploy', requestedBy: 'ann', reason: 'a fix' }
    expect(stage.calls('recordPlan')[0]).toMatchObject({ asked, plan: deployPlan() })
    expect(ended()).toMatchObject({
      kind: 'ended',
      asked,
      outcome: 'done',
      message: null,
      health: [{ check: 'api', healthy: true }],
      restorePoint: deployPlan().safety,
    })
    expect(ended().steps.map(({ state, attempts }) => [state, attempts])).toContainEqual(['done', 1])
    expect(ended()).not.toHaveProperty('plan')
    expect(events()).toEqual([])
  })

  test('writes what the checks said before its first change, which only the first plan asks', async () => {
    const sick = [{ check: 'api', healthy: false, detail: 'status 503' }]
    const planned = { plan: deployPlan(), searchable: false, audits: true }
    stage.on('plan', ({ asksHealth }) => (asksHealth ? { ...planned, health: sick } : planned))
    await (await deploy()).result()
    expect(stage.calls('plan').map(({ asksHealth }) => asksHealth)).toEqual([true, false])
    expect(ended()).toMatchObject({ before: sick, health: [{ check: 'api', healthy: true }] })
  })

  test('says why the record has no head where it could not be written', async () => {
    stage.on('finishRun', () => ({ problem: 'no space left' }))
    expect((await (await deploy()).result()).audit).toEqual({ problem: 'no space left' })
  })

  test('leaves nothing where it was a dry run', async () => {
    await (await deploy({ dryRun: true })).result()
    expect([...events(), ...stage.calls('finishRun')]).toEqual([])
  })
})

test('a run that was undone writes why, and what each step came to', async () => {
  plans(deployPlan())
  stage.on('migrateUp', fail('StepFailed', 'column is there twice'))
  expect((await (await deploy()).failure()).details.audit).toEqual(head)
  expect(ended()).toMatchObject({ outcome: 'undone', message: 'column is there twice; everything was put back' })
  expect(ended().steps.find((it) => it.name === 'migrateUp')).toMatchObject({ attempts: 1 })
})

test('answers are written when they are given, refused ones too, without the lease and before the end', async () => {
  const run = await atGate()
  await run.refusal('approve', { by: 'mallory', digest: '00000000', comment: 'let me' })
  await expect.poll(() => events().length).toBe(1)
  await run.answer('reject', { by: 'ann', comment: 'not now' })
  const { type, details } = await run.failure()
  expect([type, details.audit]).toEqual(['Rejected', head])
  expect(events()).toMatchObject([
    { kind: 'answer', answer: { kind: 'approve', by: 'mallory', comment: 'let me', refused: expect.any(String) } },
    { kind: 'answer', answer: { kind: 'reject', by: 'ann', refused: null } },
    { kind: 'ended', outcome: 'rejected', plan: { digest: lossy.digest, exposure: { total: 412 } } },
  ])
  expect(events()[2].gates).toMatchObject([{ asks: 'approve', openedAt: expect.any(String) }])
  expect(new Set(stage.calls('recordAudit').map(({ id }) => id)).size).toBe(3)
})

test('answers that could not be written come with the end', async () => {
  plans(lossy)
  stage.on('recordAudit', fail('Refused'))
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  await run.answer('approve', { by: 'ann', digest: lossy.digest })
  await run.result()
  expect(ended().answers).toMatchObject([{ by: 'ann', refused: null }])
})

test('a refusal is written, too; one that no target is known for is not', async () => {
  plans(lossy)
  stage.on('plan', fail('Refused', 'another stack is there'))
  const request = rollbackRequest({ scope: 'config' })
  const { details } = await (await stage.start('rollbackWorkflow', request)).failure()
  expect(details.audit).toEqual(head)
  expect(events()).toMatchObject([
    { kind: 'ended', outcome: 'refused', message: 'another stack is there', asked: { scope: 'config' } },
  ])
  plans(lossy)
  stage.on('plan', fail('UnknownTarget'))
  await (await stage.start('rollbackWorkflow', rollbackRequest())).failure()
  expect(events()).toEqual([])
})

test('a run under activities of an earlier version asks for nothing new', async () => {
  stage.reset(lossy)
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  await run.answer('reject', { by: 'ann' })
  expect((await run.failure()).details).not.toHaveProperty('audit')
  expect(events()).toEqual([])
})

describe('a note for people', () => {
  const note = { file: 'logs/incident.md' }

  test('has who asked, how bad it was, the plan and who approved it, and the result says where it lies', async () => {
    const run = await atGate({ severity: 'failure', reason: 'errors' })
    stage.on('finishRun', () => ({ ...head, note }))
    await run.answer('approve', { by: 'ann', digest: lossy.digest })
    expect(await run.result()).toMatchObject({ audit: head, note })
    const [{ ended: end, circumstances }] = stage.calls('finishRun')
    expect(end.asked).toMatchObject({ kind: 'rollback', severity: 'failure', reason: 'errors' })
    expect(circumstances).toMatchObject({
      plan: { scope: 'full', restorePoint: lossy.restorePoint, exposure: { total: 412 } },
      answers: [{ kind: 'approve', by: 'ann' }],
    })
  })

  test('is written of a run that was told no, too, and what keeps it from that is told', async () => {
    const run = await atGate()
    stage.on('recordAudit', () => ({ ...head, note: { problem: 'no space left' } }))
    await run.answer('reject', { by: 'ann' })
    expect((await run.failure()).details).toMatchObject({ audit: head, note: { problem: 'no space left' } })
    expect(stage.calls('recordAudit').at(-1)).toMatchObject({ circumstances: { plan: { digest: lossy.digest } } })
  })

  test("of what another run had left comes with that run's plan", async () => {
    plans(deployPlan())
    const left = { run: { workflowId: 'rollback-shop-dead', runId: '00000000-dead' }, plan: lossy, started: [] }
    stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [left], audits: true }))
    await (await deploy()).result()
    expect(stage.calls('closeDebt')).toMatchObject([{ run: left.run, how: 'undone', plan: { kind: 'rollback' } }])
  })
})
