import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { candidate, deployPlan, deployRequest, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import type { Counters } from '../../src/plan/manifest.js'
import { Stage, fail } from '../support/workflow.js'

const request = rollbackRequest()
const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const lossless = rollbackPlan()
const other = rollbackPlan(rollbackRequest({ secrets: 'restore' }), undefined, candidate({ exposure: exposure(412) }))
const hex = lossy.digest.replace('sha256:', '')
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(lossy))

async function atGate(input: unknown = request) {
  const run = await stage.start('rollbackWorkflow', input)
  await run.until('waiting-for-approval')
  return run
}

test('a rollback that would lose rows waits for an approval before it takes the lease', async () => {
  const run = await atGate()
  expect(stage.all).toEqual(['plan'])
  const { gate, plan } = await run.progress()
  expect(gate).toMatchObject({ asks: 'approve', why: '412 rows would be lost' })
  expect(plan!.exposure!.total).toBe(412)
  await run.answer('approve', { by: 'ann', digest: lossy.digest })
  expect((await run.result()).phase).toBe('done')
})

test('one that loses nothing asks nobody', async () => {
  stage.reset(lossless)
  const result = await (await stage.start('rollbackWorkflow', request)).result()
  expect(result.phase).toBe('done')
})

describe('an approval', () => {
  test.each([
    ['without a digest', { by: 'ann' }, `digest: missing; data would be lost, so name the plan: ${lossy.digest}`],
    ['with another digest', { by: 'ann', digest: 'a'.repeat(64) }, `digest: this plan's is ${lossy.digest}`],
    ['with a digest of 7 digits', { by: 'ann', digest: hex.slice(0, 7) }, `digest: this plan's is ${lossy.digest}`],
    ['of nobody', { digest: lossy.digest }, 'by: missing; it says who answers'],
    ['with an unknown key', { by: 'ann', digset: hex }, 'unknown key "digset"; known: by, digest, comment, signature'],
    ['that is no object', 'yes', 'expected one JSON object'],
  ])('%s is refused with the reason, and the run waits on', async (_how, input, reason) => {
    const run = await atGate()
    expect(await run.refusal('approve', input)).toEqual({ type: 'ApprovalRefused', message: reason })
    expect((await run.progress()).phase).toBe('waiting-for-approval')
    await run.answer('reject', { by: 'ann' })
    await run.failure()
  })

  test.each([
    ['the whole digest', lossy.digest],
    ['its hex digits', hex],
    ['its first 8 digits', hex.slice(0, 8)],
    ['its first 8 digits behind the name of the hash', `sha256:${hex.slice(0, 8)}`],
  ])('with %s goes on', async (_how, digest) => {
    const run = await atGate()
    expect(await run.answer('approve', { by: 'ann', digest, comment: 'go' })).toBe('approved by ann')
    expect((await run.result()).phase).toBe('done')
  })

  test('arrives as a signal, too', async () => {
    const run = await atGate()
    await run.handle.signal('approve', { by: 'ann', digest: hex.slice(0, 8) })
    expect((await run.result()).phase).toBe('done')
  })

  test('that is wrong is ignored as a signal', async () => {
    const run = await atGate()
    await run.handle.signal('approve', { by: 'ann', digest: 'a'.repeat(8) })
    await run.handle.signal('approve', 'nonsense')
    expect((await run.progress()).phase).toBe('waiting-for-approval')
    await run.handle.signal('reject', { by: 'bob' })
    expect((await run.failure()).type).toBe('Rejected')
  })

  test('without a digest is enough where no data would be lost', async () => {
    stage.reset(rollbackPlan(rollbackRequest({ approval: 'always' })))
    const run = await atGate()
    await run.answer('approve', { by: 'ann' })
    expect((await run.result()).phase).toBe('done')
  })

  test('is refused where nothing waits for it', async () => {
    stage.reset(lossless)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    stage.on('putFiles', () => held)
    stage.on('restoreFiles', async () => (await held, { detail: null, attempts: 1 }))
    const run = await stage.start('rollbackWorkflow', request)
    await expect.poll(() => stage.acts.at(-1)).toBe('restoreFiles')
    expect(await run.refusal('approve', { by: 'ann' })).toEqual({
      type: 'ApprovalRefused',
      message: 'nothing waits to be approved; the run is running',
    })
    expect((await run.refusal('reject', { by: 'ann' })).message).toBe(
      'nothing waits to be rejected; the run is running',
    )
    expect((await run.refusal('resolve', { by: 'ann', action: 'retry' })).message).toBe(
      'nothing waits to be resolved; the run is running',
    )
    release()
    await run.result()
  })
})

test('a resolve does not answer a gate that waits for an approval', async () => {
  const run = await atGate()
  expect(await run.refusal('resolve', { by: 'ann', action: 'skip' })).toEqual({
    type: 'ApprovalRefused',
    message: 'this gate waits for approve or reject',
  })
  await run.answer('reject', { by: 'ann' })
  await run.failure()
})

test('a second answer is refused', async () => {
  const run = await atGate()
  const answers = await Promise.allSettled([
    run.answer('approve', { by: 'ann', digest: hex }),
    run.answer('reject', { by: 'bob' }),
  ])
  expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1)
  await run.handle.result().catch(() => undefined)
})

test('a reject ends the run as Rejected, with who and why, and nothing was touched', async () => {
  const run = await atGate()
  expect(await run.answer('reject', { by: 'bob', comment: 'not today' })).toBe('rejected by bob')
  const failure = await run.failure()
  expect(failure).toMatchObject({
    type: 'Rejected',
    message: 'rejected by bob: not today',
    details: { phase: 'rejected' },
  })
  expect(stage.all).toEqual(['plan'])
})

test('nobody answering for 24 hours ends the run as ApprovalTimeout', async () => {
  const run = await atGate()
  const { gate, startedAt } = await run.progress()
  expect(Date.parse(gate!.until) - Date.parse(startedAt)).toBeGreaterThanOrEqual(24 * 3_600_000)
  const failure = await run.failure()
  expect(failure).toMatchObject({ type: 'ApprovalTimeout', details: { phase: 'rejected', restorePoint: null } })
  expect(failure.details.durationMs).toBeGreaterThanOrEqual(24 * 3_600_000)
  expect(stage.all).toEqual(['plan'])
})

describe('the plan made under the lease', () => {
  test('goes back to the gate where its digest is another one, and the lease is kept meanwhile', async () => {
    stage.reset(lossy, other)
    const run = await atGate()
    await run.answer('approve', { by: 'ann', digest: hex })
    await expect.poll(() => stage.calls('keepLease').length).toBe(1)
    expect((await run.until('waiting-for-approval')).plan!.digest).toBe(other.digest)
    expect((await run.refusal('approve', { by: 'ann', digest: hex })).message).toBe(
      `digest: this plan's is ${other.digest}`,
    )
    await run.answer('approve', { by: 'ann', digest: other.digest })
    expect((await run.result()).phase).toBe('done')
    expect(stage.calls('recordPlan').map((input) => input.plan.digest)).toEqual([other.digest])
  })

  test('gives the lease back where that gate rejects it', async () => {
    stage.reset(lossy, other)
    const run = await atGate()
    await run.answer('approve', { by: 'ann', digest: hex })
    await expect.poll(() => stage.calls('keepLease').length).toBe(1)
    await run.until('waiting-for-approval')
    await run.answer('reject', { by: 'ann' })
    expect((await run.failure()).type).toBe('Rejected')
    expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'rejected' }])
    expect(stage.acts).toEqual([])
  })

  test('is asked about where rows would be lost by now, though the digest is the same', async () => {
    expect(lossy.digest).toBe(lossless.digest)
    stage.reset(lossless, lossy)
    const run = await atGate()
    expect((await run.progress()).gate!.why).toBe('412 rows would be lost')
    await run.answer('approve', { by: 'ann', digest: hex })
    expect((await run.result()).phase).toBe('done')
  })

  test('asks nobody again where the approved one is still the plan', async () => {
    const run = await atGate()
    await run.answer('approve', { by: 'ann', digest: hex })
    await run.result()
    expect(stage.calls('keepLease')).toHaveLength(0)
  })

  test('asks nobody where no approval is needed, though it changed', async () => {
    stage.reset(deployPlan(), deployPlan(deployRequest({ migrateTo: 'none' })))
    expect((await (await stage.start('deployWorkflow', deployRequest())).result()).phase).toBe('done')
  })

  test('is asked about again where it would lose more by now than what was approved and the bound', async () => {
    const grown = { ...lossy, exposure: exposure(413) }
    stage.reset(lossy, grown)
    const run = await atGate()
    await run.answer('approve', { by: 'ann', digest: hex })
    await expect.poll(() => stage.calls('keepLease').length).toBe(1)
    expect((await run.until('waiting-for-approval')).plan!.exposure!.total).toBe(413)
    await run.answer('approve', { by: 'ann', digest: hex })
    await run.result()
    expect(stage.calls('swapDatabase').map((input) => input.shown.exposure.total)).toEqual([413])
  })

  test('leaves what was approved as what the exchange is compared with', async () => {
    const counters = { tables: [] } as unknown as Counters
    const approved = { ...lossy, counters }
    stage.reset(approved, { ...lossy, exposure: exposure(412 + 5), mayGrowBy: 5, counters: { ...counters, oid: 2 } })
    const run = await atGate()
    await run.answer('approve', { by: 'ann', digest: hex })
    await run.result()
    expect(stage.calls('swapDatabase').map((input) => input.shown)).toEqual([{ exposure: exposure(412), counters }])
  })
})

describe('already there', () => {
  const already = { ...lossless, steps: [], already: true }

  test('completes with no steps, and says so', async () => {
    stage.reset(already)
    const result = await (await stage.start('rollbackWorkflow', request)).result()
    expect(result).toMatchObject({ phase: 'done', already: true, steps: [], restorePoint: null })
    expect(stage.all).toEqual(['plan', 'acquireLease', 'plan', 'observeEnd', 'finishRun'])
    expect(stage.calls('finishRun')).toEqual([{ target: 'shop', token: 7, outcome: 'done' }])
  })

  test('under the lease, after an approval, completes with no steps', async () => {
    stage.reset(lossy, already)
    const run = await atGate()
    await run.answer('approve', { by: 'ann', digest: hex })
    expect(await run.result()).toMatchObject({ phase: 'done', already: true, steps: [] })
    expect(stage.acts).toEqual([])
  })
})

test('a dry run completes with the plan: no gate, no lease, no look, no change', async () => {
  const result = await (await stage.start('rollbackWorkflow', rollbackRequest({ dryRun: true }))).result()
  expect(result).toMatchObject({ phase: 'done', restorePoint: null, health: [] })
  expect(result.plan!.exposure!.total).toBe(412)
  expect(result.steps.map((step) => step.state)).toEqual(lossy.steps.map(() => 'pending'))
  expect(stage.all).toEqual(['plan'])
})

describe('an exchange that would lose more than was approved', () => {
  const more = { exposure: exposure(500), asks: 'approval' }
  beforeEach(() => {
    stage.reset(lossless)
    stage.on('swapDatabase', (input) =>
      input.args.mayLoseRows >= 500 ? { detail: null, attempts: 1 } : fail('ExposureExceeded', '500 rows', more)(input),
    )
  })

  async function askedAgain() {
    const run = await stage.start('rollbackWorkflow', request)
    const { gate, plan, steps } = await run.until('waiting-for-approval')
    expect(gate).toMatchObject({ asks: 'approve', why: 'swap the built database in: 500 rows' })
    expect(plan!.exposure!.total).toBe(500)
    expect(steps.find((step) => step.name === 'swapDatabase')!.state).toBe('failed')
    return run
  }

  test('goes back to the gate, and on with an approval that names the plan', async () => {
    const run = await askedAgain()
    expect((await run.refusal('approve', { by: 'ann' })).message).toContain('digest: missing; data would be lost')
    await run.answer('approve', { by: 'ann', digest: hex })
    expect((await run.result()).phase).toBe('done')
    expect(stage.calls('swapDatabase').map((input) => input.args.mayLoseRows)).toEqual([null, 500])
  })

  test('is undone where it is rejected, or nobody answers', async () => {
    const run = await askedAgain()
    await run.answer('reject', { by: 'bob' })
    const failure = await run.failure()
    expect(failure).toMatchObject({ type: 'Undone', message: expect.stringContaining('500 rows; rejected by bob') })
    expect((await (await askedAgain()).failure()).type).toBe('Undone')
  })
})
