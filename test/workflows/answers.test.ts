// Who may open a gate, how many it takes, what a signature counts for, and what is left of an answer that was refused.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signatureActivities } from '../../src/activities/signature.js'
import { sign } from '../../src/client/sign.js'
import type { ApprovalTerms, Plan } from '../../src/plan/plan.js'
import { candidate, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { keyPair } from '../support/people.js'
import { type Run, Stage } from '../support/workflow.js'

const { digest, approval, ...rest } = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const ann = keyPair()
const eve = keyPair()
const { checkSignature } = signatureActivities({
  config: { people: { ann: { publicKey: ann.publicKey }, eve: { publicKey: eve.publicKey } } },
} as never)
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())

function planWith(terms: Partial<ApprovalTerms>, loss: Partial<Plan['approval']> = {}): Plan {
  const whole: ApprovalTerms = { approvals: 1, signers: [], atDeadline: 'end', ...terms }
  return { ...rest, digest, approval: { ...approval, ...loss, terms: whole } }
}

async function atGate(...plans: readonly Plan[]): Promise<Run> {
  stage.reset(...plans)
  stage.on('checkSignature', (input) => checkSignature(input))
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  return run
}

const heard = async (run: Run) => (await run.progress()).answers!.map(({ kind, by, refused }) => [kind, by, refused])

describe('a gate that needs two approvals', () => {
  const two = planWith({ approvals: 2, approvers: ['ann', 'bob', 'eve'], not: 'eve' })

  test('opens with the second one, of another person, by update and by signal alike', async () => {
    const run = await atGate(two)
    expect(await run.answer('approve', { by: 'ann', digest })).toBe('approved by ann; 1 more approval is needed')
    expect((await run.progress()).gate).toMatchObject({
      needs: '2 approvals of ann, bob, eve, not of eve, who asked for it',
      approvedBy: ['ann'],
    })
    expect((await run.refusal('approve', { by: 'Ann', digest })).message).toBe('"Ann" approved it already')
    await run.handle.signal('approve', { by: 'bob', digest })
    expect((await run.result()).phase).toBe('done')
  })

  test('is closed by a single reject of anybody', async () => {
    const run = await atGate(two)
    await run.answer('approve', { by: 'ann', digest })
    await run.answer('reject', { by: 'mallory' })
    expect((await run.failure()).type).toBe('Rejected')
  })

  test('asks both again where the plan is another one under the lease', async () => {
    const other = { ...two, digest: `sha256:${'3fa94c21'.repeat(8)}` }
    const run = await atGate(two, other)
    for (const by of ['ann', 'bob']) await run.answer('approve', { by, digest })
    await expect.poll(() => stage.calls('keepLease').length).toBe(1)
    expect((await run.until('waiting-for-approval')).gate!.approvedBy).toEqual([])
    expect(await run.answer('approve', { by: 'bob', digest: other.digest })).toContain('1 more approval is needed')
    await run.answer('approve', { by: 'ann', digest: other.digest })
    expect((await run.result()).phase).toBe('done')
  })
})

test('refused answers are recorded with who, when and why, by update and by signal, and are in the result', async () => {
  const run = await atGate(planWith({ approvers: ['ann', 'bob'], not: 'bob' }))
  await run.refusal('approve', { by: 'mallory', digest, comment: 'let me' })
  await run.refusal('approve', { by: 'bob', digest })
  await run.handle.signal('approve', { by: 'ann', digest: '00000000' })
  await run.handle.signal('approve', 'nonsense')
  await expect
    .poll(() => heard(run))
    .toEqual([
      ['approve', 'mallory', 'by: "mallory" may not approve; ann, bob may'],
      ['approve', 'bob', 'by: "bob" asked for this run, so somebody else approves it'],
      ['approve', 'ann', `digest: this plan's is ${digest}`],
      ['approve', null, 'expected one JSON object'],
    ])
  await run.answer('approve', { by: 'ann', digest, comment: 'seen' })
  const { answers } = await run.result()
  expect(answers).toHaveLength(5)
  expect(answers![0]).toMatchObject({ comment: 'let me', at: expect.stringMatching(/^\d{4}-.*Z$/) })
  expect(answers![4]).toMatchObject({ by: 'ann', comment: 'seen', digest, refused: null })
  expect(answers![4]).not.toHaveProperty('signed')
})

test('an answer that cannot be read is refused without a trace in the history, however large it is', async () => {
  const run = await atGate(planWith({}))
  const before = (await run.handle.fetchHistory()).events!.length
  const huge = { by: 'ann', comment: 'x'.repeat(500_000) }
  expect((await run.refusal('approve', huge)).message).toBe('comment: expected a text of 1 to 2000 characters')
  expect((await run.refusal('approve', { by: '\u001b[2Jann' })).message).toContain('by: expected a name')
  expect((await run.handle.fetchHistory()).events!.length).toBeLessThan(before + 10)
  expect(JSON.stringify((await run.handle.fetchHistory()).events).length).toBeLessThan(100_000)
  expect((await run.progress()).answers).toBeUndefined()
  await run.answer('reject', { by: 'ann' })
  await run.failure()
})

test('only the first hundred refusals are recorded; the gate opens all the same', async () => {
  const run = await atGate(planWith({}))
  for (let count = 0; count < 110; count++) await run.handle.signal('approve', { by: 'ann', digest: '00000000' })
  await expect.poll(async () => (await heard(run)).length).toBe(100)
  expect((await run.refusal('approve', { by: 'ann', digest })).message).toContain('this run takes signals only')
  await run.handle.signal('approve', { by: 'ann', digest })
  expect((await run.result()).phase).toBe('done')
})

describe('an approval of a person with a public key', () => {
  const signed = planWith({ signers: ['ann', 'eve'] })
  const by = 'ann'
  const signature = async (run: Run, key = ann.privateKey) =>
    sign(run.handle.workflowId, { by, digest }, await run.progress(), key)

  test('counts with a signature of that key over run, gate, plan and name', async () => {
    const run = await atGate(signed)
    const { gate } = await run.progress()
    expect(gate!.signs).toMatch(new RegExp(`^stepback approve ${run.handle.workflowId} [0-9a-f-]{36} 1 ${digest}$`))
    await run.answer('approve', { by, digest, signature: await signature(run) })
    expect((await run.result()).answers).toMatchObject([{ by, signed: true, refused: null }])
  })

  test('counts as a signal, too', async () => {
    const run = await atGate(signed)
    await run.handle.signal('approve', { by, digest, signature: await signature(run) })
    expect((await run.result()).answers).toMatchObject([{ by, signed: true }])
  })

  test('does not count without one, nor with one of another key, of another run, or with garbage', async () => {
    const run = await atGate(signed)
    const other = await signature(run)
    await run.answer('reject', { by: 'bob' })
    const again = await stage.start('rollbackWorkflow', rollbackRequest())
    await again.until('waiting-for-approval')
    for (const wrong of [other, await signature(again, eve.privateKey), 'AAAA', 'no base64 at all'])
      expect((await again.refusal('approve', { by, digest, signature: wrong })).message).toContain('not one of "ann"')
    expect((await again.refusal('approve', { by, digest })).message).toContain('signature: missing')
    expect((await heard(again)).length).toBe(5)
    await again.handle.signal('approve', { by, digest, signature: other })
    await expect.poll(async () => (await heard(again)).length).toBe(6)
    expect((await again.progress()).phase).toBe('waiting-for-approval')
    await again.answer('reject', { by: 'bob' })
    await again.failure()
  })

  test('does not count at a later gate of the same run, which may lose more', async () => {
    const run = await atGate(signed, { ...signed, exposure: exposure(5_000), mayGrowBy: 0 })
    const first = await signature(run)
    await run.answer('approve', { by, digest, signature: first })
    await expect.poll(() => stage.calls('keepLease').length).toBe(1)
    await run.until('waiting-for-approval')
    expect((await run.refusal('approve', { by, digest, signature: first })).message).toContain('not one of "ann"')
    await run.answer('approve', { by, digest, signature: await signature(run) })
    expect((await run.result()).phase).toBe('done')
  })

  test('is refused where the gate was answered while the signature was looked at', async () => {
    const run = await atGate(signed)
    let go = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      stage.on('checkSignature', async () => (resolve(), await new Promise<void>((it) => (go = it)), null))
    })
    const late = run.refusal('approve', { by, digest, signature: await signature(run) })
    await asked
    await run.answer('reject', { by: 'bob' })
    go()
    expect((await late).message).toMatch(/already answered by bob|nothing waits to be approved/)
    expect((await run.failure()).type).toBe('Rejected')
  })
})

test('an answer that counted is not recorded as refused when it comes again, as an update does behind its signal', async () => {
  const run = await atGate(planWith({ approvals: 2 }))
  await run.handle.signal('approve', { by: 'ann', digest })
  expect((await run.refusal('approve', { by: 'ann', digest })).message).toBe('"ann" approved it already')
  expect(await heard(run)).toEqual([['approve', 'ann', null]])
  await run.answer('approve', { by: 'bob', digest })
  await run.result()
})

describe('a gate that nobody answers', () => {
  test('is passed where the configuration says so and no data would be lost', async () => {
    const run = await atGate(planWith({ atDeadline: 'go-on' }, { dataLoss: false }))
    const { phase, answers } = await run.result()
    expect(phase).toBe('done')
    expect(answers).toMatchObject([
      { kind: 'approve', by: null, comment: 'nobody answered in time, and the run goes on' },
    ])
  })

  test('ends the run where data would be lost, whatever the configuration says', async () => {
    expect((await (await atGate(planWith({ atDeadline: 'go-on' }))).failure()).type).toBe('ApprovalTimeout')
  })

  test('with one approval of two ends the run', async () => {
    const run = await atGate(planWith({ approvals: 2 }))
    await run.answer('approve', { by: 'ann', digest })
    expect((await run.failure()).type).toBe('ApprovalTimeout')
  })
})
