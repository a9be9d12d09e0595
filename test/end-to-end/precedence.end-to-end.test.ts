// Runs that meet: who waits, who goes first, and who pays for whom. Told in order on one sandbox.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { breakIt } from '../../sandbox/index.js'
import { untilJobRuns } from './faults.js'
import { ledgerEntries, stateDirectory } from './leftovers.js'
import type { Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'
import { Runs } from './runs.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a run that is interrupted', { timeout: 300_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-precedence-'))
  let operator: Operator
  let runs: Runs

  beforeAll(async () => {
    operator = await quickSandbox(root)
    runs = await Runs.on(operator)
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  test('by nobody keeps others out: two deploys at once go one behind the other', async () => {
    await Promise.all([runs.deploy('deploy-one', '2.1.0'), runs.deploy('deploy-two', '2.1.1')])
    await Promise.all([operator.end('deploy-one'), operator.end('deploy-two')])
    await runs.ends('deploy-one', 'done')
    await runs.ends('deploy-two', 'done')
    const workflows = ledgerEntries(stateDirectory(operator)).map(({ entry }) => entry.run.workflowId)
    const mine = workflows.filter((run) => run === 'deploy-one' || run === 'deploy-two')
    expect(mine.filter((run, index) => run !== mine[index - 1])).toHaveLength(2)
  })

  test('by a rollback is undone and hands over', async () => {
    await runs.deploy('deploy-pre-empted', '2.2.0-broken')
    await untilJobRuns(operator, 'deploy-pre-empted', 'buildImages.do.1.build')
    await runs.rollback('rollback-first')
    expect(await operator.end('deploy-pre-empted')).toMatchObject({ outcome: 'Undone', result: { cancelled: true } })
    await runs.ends('rollback-first', 'done')
  })

  test('by a rollback while it waits at a gate is fenced, and the rollback pays its debt', async () => {
    await breakIt({ root, kind: 'unhealthy', version: '2.2.0-broken' })
    await runs.deploy('deploy-at-gate', '2.2.0-broken', { mayLoseRows: 0 })
    await untilJobRuns(operator, 'deploy-at-gate', 'buildImages.do.1.build')
    await operator.api('/api/messages', { method: 'POST', body: JSON.stringify({ content: 'written since' }) })
    await operator.until('deploy-at-gate', ({ phase }) => phase === 'waiting-for-operator')
    await runs.rollback('rollback-fencing')
    // What it loses itself, and then what paying the debt loses: the same row, each with the digest of its plan.
    for (const phase of ['waiting-for-approval', 'waiting-for-operator']) {
      const { plan } = await operator.until('rollback-fencing', (progress) => progress.phase === phase)
      await operator.stepback('approve', 'rollback-fencing', '--by', 'a test', '--digest', plan!.digest)
    }
    expect(await operator.end('deploy-at-gate')).toMatchObject({ outcome: 'Fenced' })
    await runs.ends('rollback-fencing', 'done')
    const closed = ledgerEntries(stateDirectory(operator)).filter(({ entry }) => entry.kind === 'debt-closed')
    expect(closed.at(-1)!.entry).toMatchObject({ run: { workflowId: 'deploy-at-gate' }, how: 'undone' })
  })
})
