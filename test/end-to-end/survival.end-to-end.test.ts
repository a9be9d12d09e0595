// The worker is killed inside every step of a deploy and then of a rollback: each run ends as if nothing had happened.

import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Beginnings } from '../../chaos/beginnings.js'
import { draw } from '../../chaos/draw.js'
import { kinds } from '../../chaos/faults/index.js'
import { Ground } from '../../chaos/ground.js'
import { play } from '../../chaos/play.js'
import type { Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'
import { beginning, expectCreations, oneByOne, survive } from './survivor.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a worker that is killed', { timeout: 600_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-survival-'))
  let operator: Operator

  beforeAll(async () => {
    operator = await quickSandbox(root, { database: oneByOne, healthyWithin: '60s' })
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  const release = (version: string) => ({ version, release: operator.sandbox.releases[version] })

  test('inside every step of a deploy leaves a deploy that is done', async () => {
    const { outcome, result, hit, created } = await survive(
      { operator, root },
      'deployWorkflow',
      'deploy-good',
      release('2.1.0'),
    )
    expect(outcome).toBe('done')
    expect(hit).toBe(
      [
        beginning,
        'takeRestorePoint proveRestorePoint keepMigrations keepImages putFiles buildImages migrateUp startServices checkHealth checkVersion watchHealth',
        'collectLogs observeEnd finishRun',
      ].join(' '),
    )
    expectCreations(created, 1)
    expect(result.health.filter((it) => !it.healthy)).toEqual([])
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
  })

  test('inside every step of a rollback leaves a rollback that is done', async () => {
    const request = { strategy: 'restore' }
    const { outcome, hit, created } = await survive({ operator, root }, 'rollbackWorkflow', 'rollback-restore', request)
    expect(outcome).toBe('done')
    expect(hit).toBe(
      [
        beginning,
        'takeRestorePoint keepImages restoreDatabase stopServices restoreImages restoreFiles swapDatabase startServices',
        'checkHealth checkVersion collectLogs observeEnd finishRun',
      ].join(' '),
    )
    expectCreations(created, 1)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
    expect(readdirSync(join(operator.sandbox.directory, 'aria_skills'))).not.toContain('catalogue.md')
    expect(await operator.journal('select state from stepback.operation')).toEqual([{ state: 'swapped' }])
  })

  // Of `npm run chaos -- --runs 100 --seed 1`; the last one ends with what would have to be started again.
  test('is no worse than what trials 89 and 26 let happen, by all that is seen from outside', async () => {
    operator.stopWorker()
    const ground = await Ground.on(root)
    try {
      const beginnings = new Beginnings(ground)
      for (const number of [89, 26]) {
        const { faults, notes, violations } = await play(ground, beginnings, draw(1 + number, kinds))
        expect({ number, notes, violations }).toEqual({ number, notes: [], violations: [] })
        expect(faults).not.toEqual([])
      }
    } finally {
      await ground.leave()
    }
  })
})
