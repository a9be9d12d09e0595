// What the server that skips time does not know, or lets through though a real one would not.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { candidate, deployPlan, deployRequest, exposure, rollbackPlan, rollbackRequest } from '../support/plans.js'
import { Stage, fail } from '../support/workflow.js'

const lossy = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))
let stage: Stage

beforeAll(async () => {
  stage = await Stage.openReal()
})
afterAll(() => stage.close())

test('an approved rollback runs on a real server, is found by its phase, and shows itself in the Web UI', async () => {
  stage.reset(lossy)
  const run = await stage.start('rollbackWorkflow', rollbackRequest())
  await run.until('waiting-for-approval')
  const { searchAttributes } = await run.handle.describe()
  expect(searchAttributes).toMatchObject({
    StepbackTarget: ['shop'],
    StepbackPhase: ['waiting-for-approval'],
    StepbackVersion: ['2.0.0'],
    StepbackRestorePoint: [lossy.restorePoint],
  })
  const { currentDetails, definition } = await run.handle.query<any>('__temporal_workflow_metadata')
  expect(currentDetails).toContain('**412 rows would be lost:**')
  expect(definition.updateDefinitions.map((it: { name: string }) => it.name).toSorted()).toEqual([
    'approve',
    'reject',
    'resolve',
  ])
  expect(definition.signalDefinitions.map((it: { name: string }) => it.name)).toEqual(
    expect.arrayContaining(['approve', 'reject', 'resolve']),
  )
  await run.answer('approve', { by: 'ann', digest: lossy.digest })
  const result = await run.result()
  expect(result.phase).toBe('done')
  expect(await run.progress()).toEqual(result)
})

test("each activity's summary is the title of its step, so that the timeline reads like the plan", async () => {
  stage.reset(deployPlan())
  stage.on('checkHealth', fail('StepFailed'))
  const run = await stage.start('deployWorkflow', deployRequest())
  await run.failure()
  const { events } = await run.handle.fetchHistory()
  const summaries = events!.flatMap((event) => {
    const data = event.userMetadata?.summary?.data
    return event.activityTaskScheduledEventAttributes && data
      ? [JSON.parse(Buffer.from(data).toString()) as string]
      : []
  })
  expect(summaries).toContain('3/10 put 2 files of the release in place')
  expect(summaries).toContain('undo: put the files back as they were')
})
