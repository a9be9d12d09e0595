// One run for each shape of control flow; their histories are what a new version of the workflows has to replay.

import type { Debt } from '../../src/plan/ledger.js'
import {
  candidate,
  deployPlan,
  deployRequest,
  exposure,
  facts,
  rollbackPlan,
  rollbackRequest,
  stack,
} from '../support/plans.js'
import { emergencyPlan, emergencyRequest } from '../support/emergencies.js'
import { seen, sick, well } from '../support/guards.js'
import { type Run, type Stage, fail, failTimes, ownRun, untilCancelled } from '../support/workflow.js'

const deploy = deployPlan()
const proving = deployPlan(
  deployRequest(),
  facts({ stack: { ...stack, proof: { ...stack.proof, when: 'background' } } }),
)
const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
const carryForward = rollbackRequest({ carryForward: 'all' })
const carrying = rollbackPlan(carryForward, undefined, candidate({ exposure: exposure(412), carryable: [] }))
const rehearsed = {
  ...carrying,
  carry: { tables: 'all' as const, rehearsed: { at: '2026-11-23T14:00:00Z', tables: [] } },
}
const debt: Debt = {
  run: { workflowId: 'deploy-shop-dead', runId: '00000000-dead' },
  plan: deployPlan(deployRequest({ version: '2.0.9' })),
  started: [0, 1, 2, 3],
}

/** Each arranges the fakes, and ends with a run that is closed. */
export const shapes: Readonly<Record<string, (stage: Stage) => Promise<Run>>> = {
  'deploy-done': async (stage) => await deployed(stage),
  'deploy-undone': async (stage) => {
    stage.on('migrateUp', fail('StepFailed'))
    return await deployed(stage)
  },
  'deploy-not-undone': async (stage) => {
    stage.on('migrateUp', fail('StepFailed'))
    stage.on('restoreFiles', fail('StepFailed'), { undo: true })
    return await deployed(stage, async (run) => {
      await run.until('waiting-for-operator')
      await run.answer('resolve', { by: 'ann', action: 'abort' })
    })
  },
  'deploy-cancelled': async (stage) => {
    const working = new Promise<void>((resolve) => stage.on('buildImages', untilCancelled(resolve)))
    return await deployed(stage, async (run) => {
      await working
      await run.handle.cancel()
    })
  },
  'deploy-operator-deadline': async (stage) => {
    stage.on('buildImages', fail('Unreachable'))
    return await deployed(stage)
  },
  'deploy-operator-retry': async (stage) => {
    stage.on('buildImages', failTimes(1, 'Unreachable'))
    return await deployed(stage, async (run) => {
      await run.until('waiting-for-operator')
      await run.answer('resolve', { by: 'ann', action: 'retry' })
    })
  },
  'debt-paid': async (stage) => {
    stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [debt] }))
    return await deployed(stage)
  },
  fenced: async (stage) => {
    stage.on('putFiles', fail('Fenced'))
    return await deployed(stage)
  },
  'stale-lease': async (stage) => {
    stage.on('recordPlan', failTimes(1, 'StaleLease'))
    return await deployed(stage)
  },
  'deploy-beside-done': async (stage) => {
    stage.reset(proving)
    return await deployed(stage)
  },
  'deploy-beside-undone': async (stage) => {
    stage.reset(proving)
    stage.on('proveRestorePoint', untilCancelled())
    stage.on('watchHealth', fail('StepFailed'))
    return await deployed(stage)
  },
  'deploy-beside-cleared': async (stage) => {
    stage.reset(proving)
    stage.on('proveRestorePoint', fail('OutcomeUnknown'))
    return await deployed(stage)
  },
  'rollback-approved': async (stage) =>
    await rolledBack(stage, (run) => run.answer('approve', { by: 'ann', digest: lossy.digest })),
  'rollback-approved-by-signal': async (stage) =>
    await rolledBack(stage, (run) => run.handle.signal('approve', { by: 'ann', digest: lossy.digest })),
  'rollback-rehearsed': async (stage) => {
    stage.reset(carrying, rehearsed)
    const run = await stage.start('rollbackWorkflow', carryForward)
    await run.until('waiting-for-approval')
    return await ended(run, () => run.answer('approve', { by: 'ann', digest: rehearsed.digest }))
  },
  'rehearsal-undone': async (stage) => {
    stage.reset(carrying)
    stage.on('rehearseCarry', fail('StepFailed'))
    return await ended(await stage.start('rollbackWorkflow', carryForward), async () => undefined)
  },
  'rollback-rejected': async (stage) => await rolledBack(stage, (run) => run.answer('reject', { by: 'ann' })),
  'rollback-approved-by-two': async (stage) => {
    stage.reset({
      ...lossy,
      approval: { ...lossy.approval, terms: { approvals: 2, signers: ['ann'], atDeadline: 'end' } },
    })
    stage.on('checkSignature', () => null)
    const run = await stage.start('rollbackWorkflow', rollbackRequest())
    await run.until('waiting-for-approval')
    const { digest } = lossy
    await run.refusal('approve', { by: 'ann', digest })
    await run.answer('approve', { by: 'ann', digest, signature: 'x' })
    await run.handle.signal('approve', { by: 'bob', digest: '00000000' })
    return await ended(run, () => run.handle.signal('approve', { by: 'bob', digest }))
  },
  'rollback-told': async (stage) => {
    const notifies = { webhook: ['gate-opened', 'run-ended', 'debt-found'] }
    stage.on('plan', () => ({ plan: lossy, searchable: false, notifies }))
    stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [debt] }))
    const run = await stage.start('rollbackWorkflow', rollbackRequest())
    await run.until('waiting-for-approval')
    return await ended(run, () => run.answer('approve', { by: 'ann', digest: lossy.digest }))
  },
  'guard-told': async (stage) => {
    const notifies = { webhook: ['guard-fired'] as const }
    stage.reset(rollbackPlan())
    const looks = [seen({ sources: well }, { notifies }), seen({ sources: sick }, { notifies })]
    stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
    stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
    const run = await stage.start('guardWorkflow', { target: 'shop' })
    await waitFor(async () => stage.calls('finishRun').length === 1)
    await run.handle.cancel()
    return await ended(run, async () => undefined)
  },
  'rollback-recorded': async (stage) => {
    stage.reset(lossy)
    stage.on('plan', () => ({ plan: lossy, searchable: false, audits: true }))
    stage.on('recordAudit', () => ({ number: 1, sha256: 'ab'.repeat(32) }))
    const run = await stage.start('rollbackWorkflow', rollbackRequest())
    await run.until('waiting-for-approval')
    await run.refusal('approve', { by: 'ann' })
    return await ended(run, () => run.answer('reject', { by: 'ann' }))
  },
  'emergency-done': async (stage) => {
    stage.reset(emergencyPlan())
    return await ended(await stage.start('emergencyWorkflow', emergencyRequest()), async () => undefined)
  },
  'emergency-begun-with-lease': async (stage) => {
    stage.reset(emergencyPlan())
    stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [], begun: true }))
    return await ended(await stage.start('emergencyWorkflow', emergencyRequest()), async () => undefined)
  },
  'emergency-at-gate': async (stage) => {
    const request = emergencyRequest({ procedure: 'unresponsive' })
    stage.reset(emergencyPlan(request))
    stage.on('collectLogs', fail('StepFailed'))
    return await ended(await stage.start('emergencyWorkflow', request), async (run) => {
      await run.until('waiting-for-operator')
      await run.answer('resolve', { by: 'ann', action: 'abort' })
    })
  },
  'refusal-recorded': async (stage) => {
    stage.on('plan', fail('Refused'))
    return await deployed(stage)
  },
  'guard-continued': async (stage) => {
    const { run } = await guarded(stage)
    return stage.earlier(run)
  },
  'guard-settled': async (stage) => {
    const looks = [seen({ sources: well, debts: { payable: 1, asking: [] } })]
    stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [debt] }))
    stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
    stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
    const run = await stage.start('guardWorkflow', { target: 'shop' })
    await waitFor(async () => stage.calls('watchTarget').length === 2)
    await run.handle.cancel()
    await run.handle.result().catch(() => undefined)
    return stage.earlier(run)
  },
  'guard-goes-on': async (stage) => (await guarded(stage)).run,
  'guard-reported': async (stage) => {
    const run = await watching(stage, () => seen({ sources: well }, { renewAfter: 3 }))
    await waitFor(async () => stage.calls('watchTarget').length === 2)
    for (let report = 0; report < 12; report++) await run.handle.signal('health', { status: 'ok', source: 'heartbeat' })
    await waitFor(async () => stage.calls('watchTarget').length === 3)
    await run.handle.cancel()
    return stage.earlier(run)
  },
  'guard-refused': async (stage) => {
    const retry = { times: 2, afterMs: 500 }
    const notifies = { webhook: ['guard-fired'] as const }
    stage.on('plan', fail('Refused'))
    const run = await watching(stage, () => seen({ sources: sick }, { retry, notifies }))
    await waitFor(async () => stage.calls('sendNotice').length === 3)
    await run.handle.cancel()
    return await ended(run, async () => undefined)
  },
  'guard-blind': async (stage) => {
    const run = await watching(stage, () => seen({ sources: well }), fail('Refused'))
    await waitFor(async () => (await run.guard()).calls !== null)
    await run.handle.cancel()
    return await ended(run, async () => undefined)
  },
  'approval-timeout': async (stage) => await rolledBack(stage, async () => undefined),
}

/** Two runs of one guard: reports and a rollback in both, a debt in the second. */
async function guarded(stage: Stage): Promise<{ readonly run: Run }> {
  stage.reset(lossy)
  const looks = [
    seen({ sources: well }, { renewAfter: 3 }),
    seen({ sources: sick }, { renewAfter: 3 }),
    seen({ pause: 'grace' }, { renewAfter: 3 }),
    seen({ sources: well, debts: { payable: 1, asking: [] } }, { renewAfter: 3 }),
  ]
  stage.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [debt] }))
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', () => looks.shift() ?? untilCancelled()())
  const run = await stage.start('guardWorkflow', { target: 'shop' })
  await waitFor(async () => looks.length === 0 && stage.calls('watchTarget').length === 5)
  for (const status of ['ok', 'down', 'down', 'down'])
    await run.handle.signal('health', { status, source: 'heartbeat' })
  await waitFor(async () => (await run.guard()).verdict === 'degraded')
  await run.handle.cancel()
  await run.handle.result().catch(() => undefined)
  return { run }
}

/** A guard whose looks go so, one after the other, and then find nothing new. */
async function watching(stage: Stage, ...looks: ((input: unknown) => unknown)[]): Promise<Run> {
  stage.on('readGuardRequest', () => ({ target: 'shop', policy: null }))
  stage.on('watchTarget', (input) => (looks.shift() ?? untilCancelled())(input))
  return await stage.start('guardWorkflow', { target: 'shop' })
}

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 25))
}

async function deployed(stage: Stage, meanwhile: (run: Run) => Promise<unknown> = async () => undefined): Promise<Run> {
  return await ended(await stage.start('deployWorkflow', deployRequest()), meanwhile)
}

async function rolledBack(stage: Stage, answer: (run: Run) => Promise<unknown>): Promise<Run> {
  stage.reset(lossy)
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  return await ended(run, answer)
}

async function ended(run: Run, meanwhile: (run: Run) => Promise<unknown>): Promise<Run> {
  await meanwhile(run)
  await run.handle.result().catch(() => undefined)
  return run
}

export const firstPlan = deploy
