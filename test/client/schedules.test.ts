// Schedules on a real server: the one that skips time has none.

import { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { StepbackClient } from '../../src/client.js'
import { type Times, schedulesOf } from '../../src/plan/schedules.js'

const times: Times = {
  restorePoint: '*/15 8-18 * * 1-5',
  memories: '15 3 * * *',
  drill: '30 4 1 */2 *',
  prune: '45 3 * * *',
  timeZone: 'Europe/Berlin',
  overlap: 'wait',
  catchUp: '24h',
}
const wanted = (changes: Partial<Times> = {}, target = 'shop') =>
  schedulesOf({ target, taskQueue: 'q', times: { ...times, ...changes }, database: true, memories: true })

let env: TestWorkflowEnvironment
let client: StepbackClient
beforeAll(async () => {
  const executable = { type: 'existing-path', path: inject('temporalCli') } as const
  env = await TestWorkflowEnvironment.createLocal({ server: { executable } })
  client = await StepbackClient.connect({ address: env.address, namespace: env.namespace ?? 'default' })
})
afterAll(async () => {
  await client?.close()
  await env?.teardown()
})

const align = (schedules: ReturnType<typeof wanted>, apply = true) =>
  client.alignSchedules({ targets: ['shop'], wanted: schedules, apply })
test('schedules are shown, made, and then as they should be, in every field', async () => {
  const others = wanted({}, 'another')
  await client.alignSchedules({ targets: ['another'], wanted: others, apply: true })
  expect((await align(wanted(), false)).map((it) => it.does)).toEqual(['create', 'create', 'create', 'create'])
  await align(wanted())
  expect(await align(wanted(), false)).toEqual([])
  const { action, policies, spec } = await env.client.schedule.getHandle('stepback-shop-memories').describe()
  expect(action).toMatchObject({
    workflowType: 'backupWorkflow',
    taskQueue: 'q',
    args: [{ target: 'shop', what: 'memories' }],
  })
  expect(policies).toMatchObject({ overlap: 'BUFFER_ONE', catchupWindow: 86_400_000 })
  expect(spec.timezone).toBe('Europe/Berlin')
})

test('what somebody changed by hand is shown and put right; that it is paused stays', async () => {
  const handle = env.client.schedule.getHandle('stepback-shop-prune')
  // The server takes a change first and makes it a moment later; of two at once an update writes the state of before back.
  await handle.update((it) => ({ ...it, spec: { calendars: [{ hour: 9 }] } }))
  await expect.poll(async () => (await handle.describe()).spec.calendars?.[0]?.hour[0]?.start).toBe(9)
  await handle.pause('maintenance')
  await expect.poll(async () => (await handle.describe()).state.paused).toBe(true)
  const [change] = await align(wanted({ drill: 'off' }))
  expect(change).toMatchObject({ does: 'delete', id: 'stepback-shop-drill' })
  expect(await align(wanted({ drill: 'off' }), false)).toEqual([])
  expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'maintenance' })
})

test('what is due starts a backup of the target', async () => {
  const handle = env.client.schedule.getHandle('stepback-shop-memories')
  await handle.trigger()
  await expect.poll(async () => (await handle.describe()).info.recentActions.length).toBe(1)
  const { recentActions } = (await handle.describe()).info
  expect(recentActions[0]!.action.workflow.workflowId).toMatch(/^backup-shop-memories-/)
})
