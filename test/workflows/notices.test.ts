// Who is told of what, by a real receiver; and that no run waits for one.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Deps } from '../../src/activities/deps.js'
import { noticeActivities } from '../../src/activities/notices.js'
import { send } from '../../src/adapters/outgoing.js'
import type { Debt } from '../../src/plan/ledger.js'
import { type Subscriptions, noticeEvents } from '../../src/plan/notice.js'
import { seen, sick, well } from '../support/guards.js'
import { candidate, deployPlan, deployRequest, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { Receiver } from '../support/receiver.js'
import { Stage, fail, ownRun, untilCancelled } from '../support/workflow.js'

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const all: Subscriptions = { webhook: [...noticeEvents] }
const debt: Debt = {
  run: { workflowId: 'deploy-shop-dead', runId: '00000000-dead' },
  plan: deployPlan(deployRequest({ version: '2.0.9' })),
  started: [0, 1],
}
let stage: Stage
let receiver: Receiver

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(async () => {
  receiver = await Receiver.open()
})
afterEach(() => receiver.close())

function tells(plan = lossy, notifies: Subscriptions | null = all): void {
  stage.reset(plan)
  stage.on('plan', () => ({ plan, searchable: false, ...(notifies ? { notifies } : {}) }))
  const config = { temporal: {}, notifications: { webhook: { url: receiver.url } } }
  const { sendNotice } = noticeActivities({ config, send, namespace: 'default' } as unknown as Deps)
  stage.on('sendNotice', (input) => sendNotice(input))
}

const events = () => receiver.bodies.map(({ event }) => event as string)
const told = async (...expected: string[]) => await expect.poll(events).toEqual(expected)

test('a gate that opened and the end of the run are told, with what to type and who asked', async () => {
  tells()
  const run = await stage.start(
    'rollbackWorkflow',
    rollbackRequest({ requestedBy: 'ann', reason: 'errors\u001b[2J up' }),
  )
  await run.until('waiting-for-approval')
  await told('gate-opened')
  const { workflowId } = run.handle
  expect(receiver.bodies[0]).toMatchObject({ target: 'shop', run: workflowId, kind: 'rollback', digest: lossy.digest })
  expect(receiver.bodies[0].gate).toMatchObject({ asks: 'approve', why: '412 rows would be lost' })
  const [line, asked, next] = (receiver.bodies[0].text as string).split('\n')
  expect(line).toMatch(/^rollback of shop \(full\) to \S+ waits for a person: 412 rows would be lost, until /)
  expect(asked).toBe('asked for by ann: errors [2J up')
  expect(next).toBe(`stepback approve ${workflowId} --by YOU --digest ${lossy.digest.slice(7, 15)}`)
  await run.answer('approve', { by: 'bob', digest: lossy.digest })
  await run.result()
  await told('gate-opened', 'run-ended')
  expect(receiver.bodies[1]).toMatchObject({ phase: 'done', requestedBy: 'ann' })
})

test('a run ends while its receiver keeps silent, and is told of as soon as one answers', async () => {
  tells(deployPlan())
  receiver.reply = () => 'nothing'
  const run = await stage.start('deployWorkflow', deployRequest())
  expect((await run.result()).phase).toBe('done')
  await told('run-ended')
  receiver.reply = () => ({ status: 200 })
  receiver.hangUp()
  const { id } = receiver.bodies[0]
  await stage.ended(id)
  expect(receiver.bodies.map((it) => it.id)).toEqual([id, id])
})

test('a run that was undone is told of with the reason', async () => {
  tells(deployPlan())
  stage.on('migrateUp', fail('StepFailed', 'the migration failed'))
  await (await stage.start('deployWorkflow', deployRequest())).failure()
  await told('run-ended')
  expect(receiver.bodies[0].text).toMatch(/^deploy of shop, 2\.1\.0, ended as undone after .*: the migration failed/)
})

test('a run that is refused before it has a plan is told of, too', async () => {
  tells()
  stage.on('plan', fail('Refused', 'no room on the disk', { notifies: all }))
  await (await stage.start('rollbackWorkflow', rollbackRequest())).failure()
  await told('run-ended')
  expect(receiver.bodies[0]).toMatchObject({ phase: 'refused', text: expect.stringContaining('no room on the disk') })
})

test('a debt that a run finds is told before it is undone', async () => {
  tells(deployPlan())
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [debt] }))
  await (await stage.start('deployWorkflow', deployRequest())).result()
  await told('debt-found', 'run-ended')
  expect(receiver.bodies[0].text).toContain('deploy-shop-dead ended without an end, 2 steps begun; ')
})

test('a guard that goes back says so once, and its rollback speaks for itself', async () => {
  tells(rollbackPlan())
  const looks = [seen({ sources: well }, { notifies: all }), seen({ sources: sick }, { notifies: all })]
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
  const guard = await stage.start('guardWorkflow', { target: 'shop' })
  await told('guard-fired', 'run-ended')
  expect(receiver.bodies[0]).toMatchObject({ kind: 'guard', text: expect.stringContaining('checks: api: status 503') })
  await guard.handle.cancel()
  await guard.handle.result().catch(() => undefined)
})

test('a guard that needs a person says so once, however its words change', async () => {
  tells()
  const asking = (detail: string) => seen({ sources: [{ ...sick[0], detail }] }, { notifies: all, policy: 'observe' })
  const looks = [asking('status 503'), asking('status 502'), asking('no answer')]
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
  const guard = await stage.start('guardWorkflow', { target: 'shop' })
  await expect.poll(async () => (await guard.guard()).calls).toContain('no answer')
  await told('guard-fired')
  expect(receiver.bodies[0].text).toContain('calls a person: checks: status 503')
  await guard.handle.cancel()
  await guard.handle.result().catch(() => undefined)
})

test.each([
  ['a dry run', rollbackRequest({ dryRun: true }), all],
  ['a run whose configuration tells nobody', rollbackRequest(), null],
  ['a run of which nobody wants to hear that', rollbackRequest(), { webhook: ['guard-fired'] } as Subscriptions],
])('%s starts nothing beside itself', async (_which, request, notifies) => {
  tells(rollbackPlan(), notifies)
  const run = await stage.start('rollbackWorkflow', request)
  await run.result()
  const { events: history } = await run.handle.fetchHistory()
  expect(history!.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)).toEqual([])
})
