// What else goes wrong around a run: workers that stop or come late, Temporal's server, the connection, the database.
// Told in order on one sandbox: each test goes on where the one before it ended.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ledgerEntries } from '../../chaos/chain.js'
import { cutConnections, restartDatabase, untilActRuns, untilJobRuns, whileLocked } from './faults.js'
import { entriesOf, stateDirectory } from './leftovers.js'
import type { Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'
import { Runs } from './runs.js'
import { Typist } from './typist.js'
import { archivesOnTime } from './watched.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a run that is interrupted', { timeout: 300_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-interruptions-'))
  let operator: Operator
  let runs: Runs

  beforeAll(async () => {
    operator = await quickSandbox(root, { healthyWithin: '60s' })
    runs = await Runs.on(operator)
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  test('by workers that stop or come late, by Temporal and by its connection goes on to its end', async () => {
    operator.killWorker('SIGTERM')
    const run = 'deploy-interrupted'
    await runs.deploy(run, '2.1.0')
    await sleep(2_000)
    operator.startWorker()
    await untilJobRuns(operator, run, 'keepImages.do.1.keep')
    operator.killWorker('SIGTERM')
    operator.startWorker()
    await untilJobRuns(operator, run, 'buildImages.do.1.build')
    operator.replaceTemporal()
    cutConnections(operator)
    await untilJobRuns(operator, run, 'startServices.do.1.up')
    cutConnections(operator)
    operator.killWorker('SIGTERM')
    await sleep(1_000)
    operator.startWorker()
    await untilActRuns(operator, run, 'watchHealth')
    cutConnections(operator)
    await runs.ends(run, 'done')
    await runs.once(run)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
  })

  test('by restarts of its database while it is built and swapped goes on to its end', async () => {
    const run = 'rollback-restarted'
    await runs.rollback(run, { strategy: 'restore' })
    await untilJobRuns(operator, run, 'restoreDatabase.do.1.restore')
    await restartDatabase(root)
    await untilActRuns(operator, run, 'swapDatabase')
    await restartDatabase(root)
    await runs.ends(run, 'done')
    await runs.once(run)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
  })

  test('by restarts of its database while it is dumped and migrated goes on to its end', async () => {
    const run = 'deploy-restarted'
    await whileLocked(operator, 'messages', async () => {
      await runs.deploy(run, '2.1.0')
      await untilJobRuns(operator, run, 'takeRestorePoint.do.1.dump')
      await restartDatabase(root)
    })
    await untilActRuns(operator, run, 'migrateUp')
    await restartDatabase(root)
    await runs.ends(run, 'done')
    await runs.once(run)
    expect(await operator.revision()).toBe('a007_add_engine_fields')
  })

  test.each([
    ['buildImages.do.1.build', 'deploy'],
    ['takeRestorePoint.do.1.dump', 'deploy'],
    ['restoreDatabase.do.1.restore', 'rollback'],
  ] as const)('by a cancel in %s undoes', async (job, kind) => {
    const run = `${kind}-cancelled-in-${job}`
    if (kind === 'deploy') await runs.deploy(run, '2.1.1')
    else await runs.rollback(run, { strategy: 'restore' })
    await untilJobRuns(operator, run, job)
    await operator.temporal('workflow', 'cancel', '--workflow-id', run)
    await runs.ends(run, 'Undone')
    expect((await operator.end(run)).result.cancelled).toBe(true)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
  })

  test('by a terminate leaves a debt, which status shows and the next run undoes first', async () => {
    await runs.deploy('deploy-terminated', '2.1.1')
    await untilJobRuns(operator, 'deploy-terminated', 'startServices.do.1.up')
    await operator.temporal('workflow', 'terminate', '--workflow-id', 'deploy-terminated')
    expect(await operator.stepback('status', 'aria')).toMatch(/debt.*deploy-terminated/)
    await runs.deploy('deploy-next', '2.1.1')
    await runs.ends('deploy-next', 'done')
    const closed = ledgerEntries(stateDirectory(operator)).filter(({ entry }) => entry.kind === 'debt-closed')
    expect(closed.map(({ entry }) => entry)).toMatchObject([
      { run: { workflowId: 'deploy-terminated' }, how: 'undone' },
    ])
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.1' })
  })

  test('by a reset starts over, and its earlier self is a debt', async () => {
    const run = 'deploy-reset'
    await runs.deploy(run, '2.1.0')
    await untilJobRuns(operator, run, 'buildImages.do.1.build')
    const earlier = await operator.runId(run)
    const words = ['--workflow-id', run, '--type', 'FirstWorkflowTask', '--reason', 'a test']
    await operator.temporal('workflow', 'reset', ...words)
    await runs.ends(run, 'done')
    await runs.once(run)
    expect(entriesOf(operator, earlier).at(-1)).toMatchObject({ kind: 'debt-closed', how: 'undone' })
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0' })
  })

  test('leaves the memories alone, which are archived on time and come back beside the live ones', async () => {
    const typist = new Typist(operator, 'interruptions')
    await archivesOnTime(operator, typist)
    expect(typist.left).toEqual([])
  })
})
