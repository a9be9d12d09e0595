import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Watched } from '../../src/activities/guard.js'
import type { Debt } from '../../src/plan/ledger.js'
import { release, seen, sick, well } from '../support/guards.js'
import { deployPlan, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { type Run, Stage, fail, ownRun, untilCancelled } from '../support/workflow.js'

let stage: Stage
let run: Run | undefined

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(rollbackPlan()))
afterEach(async () => {
  await run?.handle.cancel().catch(() => undefined)
  await run?.handle.result().catch(() => undefined)
  run = undefined
})

/** A guard whose activity sees these one after the other, and then nothing new. */
async function guard(...looks: Watched[]): Promise<Run> {
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
  run = await stage.start('guardWorkflow', { target: 'shop' })
  return run
}

const view = async () => await run!.guard()
const acted = async () => (await view()).acted
/** Else it would act on in the next test. */
const rolledBack = () => expect.poll(() => stage.calls('finishRun').length, { timeout: 10_000 }).toBe(1)
const requests = () => stage.calls('plan').map(({ request }) => request)

test('a degraded target goes back once, to what was before its deploy', async () => {
  await guard(seen({ sources: well }), seen({ sources: sick }), seen({ sources: [...sick, ...sick] }))
  await expect.poll(async () => (await acted()).map((it) => it.outcome), { timeout: 10_000 }).toEqual(['done'])
  const [{ run: rollback, asks }] = (await acted()) as [Awaited<ReturnType<typeof acted>>[0]]
  expect(rollback).toMatch(/^rollback-shop-guard-\d{8}T\d{6}Z$/)
  expect(asks).toBe(false)
  expect(new Set(requests().map((it) => JSON.stringify(it))).size).toBe(1)
  expect(requests()[0]).toEqual({
    target: 'shop',
    to: release.id,
    severity: 'failure',
    reason: 'the guard: checks: api: status 503',
    requestedBy: run!.handle.workflowId,
  })
  expect((await view()).calls).toContain(`${rollback} was started for it already`)
})

test('a rollback that asks waits at its gate, and stays where the guard is stopped', async () => {
  stage.reset(rollbackPlan(rollbackRequest({ approval: 'always' })))
  const { sight } = seen({})
  await guard(seen({ sources: sick, standing: { ...sight.standing, schemaChanged: true } }))
  await expect.poll(async () => (await acted()).length, { timeout: 10_000 }).toBe(1)
  const [{ run: rollback }] = (await acted()) as [Awaited<ReturnType<typeof acted>>[0]]
  await expect.poll(() => requests()[0]?.approval).toBe('always')
  await run!.handle.cancel()
  await run!.handle.result().catch(() => undefined)
  expect(await stage.statusOf(rollback)).toBe('RUNNING')
  await stage.cancel(rollback)
})

test('a guard that is started anew finds the rollback that waits, and asks no second time', async () => {
  stage.reset(rollbackPlan(rollbackRequest({ approval: 'always' })))
  await guard(seen({ sources: sick }, { policy: 'ask' }))
  await expect.poll(async () => (await acted()).length, { timeout: 10_000 }).toBe(1)
  const [first] = (await acted()) as [Awaited<ReturnType<typeof acted>>[0]]
  await run!.handle.terminate()
  const begun = [{ run: first.run, at: first.at, waits: true, ended: null }]
  await guard(seen({ sources: well, begun }, { policy: 'ask' }), seen({ sources: sick, begun }, { policy: 'ask' }))
  await expect.poll(async () => (await view()).calls).toContain(`${first.run} was started for it already`)
  expect(await acted()).toMatchObject([{ run: first.run, asks: true, outcome: null }])
  await stage.cancel(first.run)
})

test('what was refused before its first change is tried again, and a person is called at the third time', async () => {
  stage.on('plan', fail('Refused'))
  await guard(seen({ sources: sick }, { notifies: { webhook: ['guard-fired'] }, retry: { times: 3, afterMs: 1_000 } }))
  const refused = async () => (await acted()).filter((it) => it.outcome === 'Refused it was').length
  await expect.poll(refused).toBe(3)
  await run!.handle.signal('health', { status: 'ok', source: 'heartbeat' })
  await expect.poll(async () => (await view()).calls).toContain('was refused, as were 2 before it: Refused it was')
  await expect.poll(() => stage.calls('sendNotice').length, { timeout: 10_000 }).toBe(4)
  expect(JSON.stringify(stage.calls('sendNotice'))).toContain('was refused once more: Refused it was')
})

test('a rollback that changed something is the one of its release, though it was undone', async () => {
  stage.on('takeRestorePoint', fail('StepFailed'))
  await guard(seen({ sources: sick }, { retry: { times: 3, afterMs: 1 } }))
  await expect.poll(async () => (await acted())[0]?.outcome, { timeout: 10_000 }).toContain('everything was put back')
  expect((await acted())[0]).not.toHaveProperty('refusedAt')
})

test('three reports that it is down lead back, and what is no report is only remembered', async () => {
  await guard(seen({ sources: well }))
  await expect.poll(async () => (await view()).verdict).toBe('healthy')
  await run!.handle.signal('health', 'down')
  for (let report = 0; report < 3; report++)
    await run!.handle.signal('health', { status: 'down', source: 'heartbeat', detail: 'no pulse' })
  await expect.poll(async () => (await acted()).map((it) => it.why)).toEqual(['heartbeat: no pulse'])
  expect((await view()).reports).toEqual({ taken: 3, refused: 'expected one JSON object' })
  await rolledBack()
})

test('a reporter that falls silent leads back', async () => {
  await guard(seen({ sources: well }, { silenceMs: 1_000, policy: 'act' }))
  await expect.poll(async () => (await view()).verdict).toBe('healthy')
  await run!.handle.signal('health', { status: 'ok', source: 'heartbeat' })
  await expect
    .poll(async () => (await acted()).map((it) => it.why), { timeout: 10_000 })
    .toEqual([expect.stringContaining('heartbeat: silent since')])
  await rolledBack()
})

test('while something else is going on it only watches', async () => {
  await guard(seen({ sources: sick, pause: 'deploy-shop-1 is at work' }), seen({ sources: sick, pause: 'grace' }))
  await expect.poll(() => stage.calls('watchTarget').length).toBe(3)
  expect(await view()).toMatchObject({ pause: 'grace', sources: [], acted: [] })
})

const debt: Debt = {
  run: { workflowId: 'deploy-shop-dead', runId: '00000000-dead' },
  plan: deployPlan(),
  started: [0, 1],
}

test('a debt is undone under the lease, which is given back', async () => {
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [debt] }))
  await guard(seen({ sources: well, debts: { payable: 1, asking: [] } }), seen({ sources: well }))
  await expect.poll(() => stage.calls('watchTarget').length, { timeout: 10_000 }).toBe(3)
  expect(stage.calls('acquireLease')).toEqual([{ target: 'shop', kind: 'guard' }])
  expect(stage.calls('closeDebt')).toMatchObject([{ target: 'shop', token: 7, run: debt.run, how: 'undone' }])
  expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'done' }])
})

test('a guard that was fenced while it undid a debt goes on watching, and does not begin it again', async () => {
  const left = seen({ sources: well, debts: { payable: 1, asking: [] } })
  stage.on('acquireLease', fail('Fenced'))
  await guard(left, left)
  await expect.poll(() => stage.calls('watchTarget').length, { timeout: 10_000 }).toBe(3)
  expect(stage.calls('acquireLease')).toHaveLength(1)
  expect((await view()).calls).toBe('Fenced it was')
})

test('a second debt is undone by a new run of the guard, for a run takes the lease once', async () => {
  const takers: string[] = []
  stage.on('acquireLease', () => {
    takers.push(ownRun().runId)
    return { token: 7, run: ownRun(), debts: [debt] }
  })
  const owing = seen({ sources: well, debts: { payable: 1, asking: [] } })
  await guard(owing, seen({ sources: well }), owing, seen({ sources: well }))
  await expect.poll(() => takers.length, { timeout: 10_000 }).toBe(2)
  expect(new Set(takers).size).toBe(2)
})

test('a debt that needs a person calls one', async () => {
  await guard(seen({ sources: well, debts: { payable: 0, asking: ['rollback-1: it reached its commit step'] } }))
  await expect
    .poll(async () => (await view()).calls)
    .toBe('a debt waits for a person: rollback-1: it reached its commit step')
  expect(stage.calls('acquireLease')).toEqual([])
})

test('it goes on as a new run with all that it knew', async () => {
  const soon = { renewAfter: 3 }
  await guard(seen({ sources: well }, soon), seen({ sources: sick }, soon), seen({ pause: 'grace' }, soon))
  await expect.poll(() => stage.calls('watchTarget').length, { timeout: 10_000 }).toBe(4)
  await expect.poll(async () => (await acted()).length).toBe(1)
  expect((await stage.earlier(run!).handle.describe()).status.name).toBe('CONTINUED_AS_NEW')
  expect(stage.calls('watchTarget').at(-1)).toMatchObject({ target: 'shop', known: { pause: 'grace' } })
  expect(stage.calls('readGuardRequest')).toHaveLength(1)
  await rolledBack()
})

test('reports alone make a new run of it, too, with what they said', async () => {
  await guard(seen({ sources: well }, { renewAfter: 3 }))
  await expect.poll(() => stage.calls('watchTarget').length).toBe(2)
  for (let report = 0; report < 12; report++) await run!.handle.signal('health', { status: 'ok', source: 'heartbeat' })
  await expect.poll(() => stage.calls('watchTarget').length, { timeout: 10_000 }).toBe(3)
  expect((await stage.earlier(run!).handle.describe()).status.name).toBe('CONTINUED_AS_NEW')
  expect(stage.calls('watchTarget').at(-1)).toMatchObject({ known: { sources: well } })
  expect((await view()).reports).toEqual({ taken: 12, refused: null })
  // Whoever waits for its end may never be told by the server that skips time.
  await run!.handle.cancel()
  await expect.poll(() => stage.statusOf(run!.handle.workflowId)).toBe('CANCELLED')
  run = undefined
})

test('a look that fails for good calls a person, and it goes on watching', async () => {
  const looks = [() => seen({ sources: well }), fail('Refused')]
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', (input) => (looks.shift() ?? untilCancelled())(input))
  run = await stage.start('guardWorkflow', { target: 'shop' })
  await expect.poll(async () => (await view()).calls).toBe('it cannot look: Refused it was')
  expect(await stage.statusOf(run.handle.workflowId)).toBe('RUNNING')
})

test('a first look that fails for good ends it, as whoever starts it sees', async () => {
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', fail('Refused'))
  const bad = await stage.start('guardWorkflow', { target: 'shop' })
  await expect(bad.result()).rejects.toMatchObject({ cause: { type: 'Refused' } })
})

test('a request that cannot be read ends it at once', async () => {
  stage.on('readGuardRequest', fail('UnknownTarget'))
  const bad = await stage.start('guardWorkflow', { target: 'nowhere' })
  await expect(bad.result()).rejects.toMatchObject({ cause: { type: 'UnknownTarget' } })
})
