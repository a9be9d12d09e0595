// What else goes wrong around a run: workers that stop or come late, Temporal's server, the connection, the database, and
// other runs. Told in order on one sandbox: each test goes on where the one before it ended.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { breakIt } from '../../sandbox/index.js'
import { cutConnections, restartDatabase, untilActRuns, untilJobRuns, whileLocked } from './faults.js'
import { doneTwice, entriesOf, ledgerEntries, leftovers, stateDirectory } from './leftovers.js'
import type { Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a run that is interrupted', { timeout: 300_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-interruptions-'))
  let operator: Operator
  let rowsAtFirst: Record<string, string>

  beforeAll(async () => {
    operator = await quickSandbox(root)
    rowsAtFirst = await operator.rows()
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  const deploy = (run: string, version: string, more: object = {}) =>
    operator.start('deployWorkflow', run, {
      target: 'aria',
      version,
      release: operator.sandbox.releases[version],
      reason: 'a test',
      ...more,
    })
  const rollback = (run: string, more: object = {}) =>
    operator.start('rollbackWorkflow', run, { target: 'aria', reason: 'a test', ...more })

  async function ends(run: string, outcome: string): Promise<void> {
    const ended = await operator.end(run)
    expect(ended).toMatchObject({ outcome })
    expect(await leftovers(operator)).toBe('')
    expect(await operator.rows()).toEqual(rowsAtFirst)
  }

  const once = async (run: string) => expect(doneTwice(operator, await operator.runId(run))).toBe('')

  test('by workers that stop or come late, by Temporal and by its connection goes on to its end', async () => {
    operator.killWorker('SIGTERM')
    const run = 'deploy-interrupted'
    await deploy(run, '2.1.0')
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
    await ends(run, 'done')
    await once(run)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
  })

  test('by restarts of its database while it is built and swapped goes on to its end', async () => {
    const run = 'rollback-restarted'
    await rollback(run, { strategy: 'restore' })
    await untilJobRuns(operator, run, 'restoreDatabase.do.1.restore')
    await restartDatabase(root)
    await untilActRuns(operator, run, 'swapDatabase')
    await restartDatabase(root)
    await ends(run, 'done')
    await once(run)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
  })

  test('by restarts of its database while it is dumped and migrated goes on to its end', async () => {
    const run = 'deploy-restarted'
    await whileLocked(operator, 'messages', async () => {
      await deploy(run, '2.1.0')
      await untilJobRuns(operator, run, 'takeRestorePoint.do.1.dump')
      await restartDatabase(root)
    })
    await untilActRuns(operator, run, 'migrateUp')
    await restartDatabase(root)
    await ends(run, 'done')
    await once(run)
    expect(await operator.revision()).toBe('a007_add_engine_fields')
  })

  test.each([
    ['buildImages.do.1.build', 'deploy'],
    ['takeRestorePoint.do.1.dump', 'deploy'],
    ['restoreDatabase.do.1.restore', 'rollback'],
  ] as const)('by a cancel in %s undoes', async (job, kind) => {
    const run = `${kind}-cancelled-in-${job}`
    if (kind === 'deploy') await deploy(run, '2.1.1')
    else await rollback(run, { strategy: 'restore' })
    await untilJobRuns(operator, run, job)
    await operator.temporal('workflow', 'cancel', '--workflow-id', run)
    await ends(run, 'Undone')
    expect((await operator.end(run)).result.cancelled).toBe(true)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
  })

  test('by a terminate leaves a debt, which status shows and the next run undoes first', async () => {
    await deploy('deploy-terminated', '2.1.1')
    await untilJobRuns(operator, 'deploy-terminated', 'startServices.do.1.up')
    await operator.temporal('workflow', 'terminate', '--workflow-id', 'deploy-terminated')
    expect(await operator.stepback('status', 'aria')).toMatch(/debt.*deploy-terminated/)
    await deploy('deploy-next', '2.1.1')
    await ends('deploy-next', 'done')
    const closed = ledgerEntries(stateDirectory(operator)).filter(({ entry }) => entry.kind === 'debt-closed')
    expect(closed.map(({ entry }) => entry)).toMatchObject([
      { run: { workflowId: 'deploy-terminated' }, how: 'undone' },
    ])
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.1' })
  })

  test('by a reset starts over, and its earlier self is a debt', async () => {
    const run = 'deploy-reset'
    await deploy(run, '2.1.0')
    await untilJobRuns(operator, run, 'buildImages.do.1.build')
    const earlier = await operator.runId(run)
    const words = ['--workflow-id', run, '--type', 'FirstWorkflowTask', '--reason', 'a test']
    await operator.temporal('workflow', 'reset', ...words)
    await ends(run, 'done')
    await once(run)
    expect(entriesOf(operator, earlier).at(-1)).toMatchObject({ kind: 'debt-closed', how: 'undone' })
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0' })
  })

  test('by nobody keeps others out: two deploys at once go one behind the other', async () => {
    await Promise.all([deploy('deploy-one', '2.1.0', { redeploy: true }), deploy('deploy-two', '2.1.1')])
    await Promise.all([operator.end('deploy-one'), operator.end('deploy-two')])
    await ends('deploy-one', 'done')
    await ends('deploy-two', 'done')
    const runs = ledgerEntries(stateDirectory(operator)).map(({ entry }) => entry.run.workflowId)
    const mine = runs.filter((run) => run === 'deploy-one' || run === 'deploy-two')
    expect(mine.filter((run, index) => run !== mine[index - 1])).toHaveLength(2)
  })

  test('by a rollback is undone and hands over', async () => {
    await deploy('deploy-pre-empted', '2.2.0-broken')
    await untilJobRuns(operator, 'deploy-pre-empted', 'buildImages.do.1.build')
    await rollback('rollback-first')
    expect(await operator.end('deploy-pre-empted')).toMatchObject({ outcome: 'Undone', result: { cancelled: true } })
    await ends('rollback-first', 'done')
  })

  test('by a rollback while it waits at a gate is fenced, and the rollback pays its debt', async () => {
    await breakIt({ root, kind: 'unhealthy', version: '2.2.0-broken' })
    await deploy('deploy-at-gate', '2.2.0-broken', { mayLoseRows: 0 })
    await untilJobRuns(operator, 'deploy-at-gate', 'buildImages.do.1.build')
    await operator.api('/api/messages', { method: 'POST', body: JSON.stringify({ content: 'written since' }) })
    await operator.until('deploy-at-gate', ({ phase }) => phase === 'waiting-for-operator')
    await rollback('rollback-fencing')
    // What it loses itself, and then what paying the debt loses: the same row, each with the digest of its plan.
    for (const phase of ['waiting-for-approval', 'waiting-for-operator']) {
      const { plan } = await operator.until('rollback-fencing', (progress) => progress.phase === phase)
      await operator.stepback('approve', 'rollback-fencing', '--by', 'a test', '--digest', plan!.digest)
    }
    expect(await operator.end('deploy-at-gate')).toMatchObject({ outcome: 'Fenced' })
    await ends('rollback-fencing', 'done')
    const closed = ledgerEntries(stateDirectory(operator)).filter(({ entry }) => entry.kind === 'debt-closed')
    expect(closed.at(-1)!.entry).toMatchObject({ run: { workflowId: 'deploy-at-gate' }, how: 'undone' })
  })
})
