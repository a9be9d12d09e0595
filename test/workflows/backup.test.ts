import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { planBackup } from '../../src/plan/backup.js'
import { parseBackupRequest } from '../../src/config/request.js'
import { namesOf } from '../../src/plan/retention.js'
import { afterDeploy, withDigest } from '../support/plans.js'
import { Stage, fail } from '../support/workflow.js'

const request = parseBackupRequest({ target: 'shop', what: 'prune' })
const unfinished = '20261101T000000Z-1.9.1'
const plan = withDigest(planBackup(request, afterDeploy(), namesOf(unfinished).slice(1)), request)
let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())
beforeEach(() => stage.reset(plan))

test('a prune is a run as any other: lease, ledger, look at the end', async () => {
  const result = await (await stage.start('backupWorkflow', request)).result()
  expect(stage.all).toEqual([
    'plan',
    'acquireLease',
    'plan',
    'recordPlan',
    'pruneRestorePoints',
    'observeEnd',
    'finishRun',
  ])
  expect(result).toMatchObject({ kind: 'backup', phase: 'done', restorePoint: null })
})

test('a cancel while it deletes changes nothing: nobody could put back what is gone', async () => {
  const run = await stage.start('backupWorkflow', request)
  stage.on('pruneRestorePoints', async () => {
    await run.handle.cancel()
    await new Promise((resolve) => setTimeout(resolve, 300))
    return { detail: null, attempts: 1 }
  })
  expect(await run.result()).toMatchObject({ phase: 'done' })
})

test('a prune that fails says that what it had removed is gone, and never that all was put back', async () => {
  stage.on('pruneRestorePoints', fail('StepFailed', 'read-only'))
  const failure = await (await stage.start('backupWorkflow', request)).failure()
  expect(failure.type).toBe('NotUndone')
  expect(failure.message).toBe('read-only; left: remove 1 restore point: what it had removed is gone')
})
