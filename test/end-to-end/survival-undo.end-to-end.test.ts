// Ways back that a death does not take: the undo of a deploy that fails, and the script on the host.

import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leftovers } from './leftovers.js'
import type { Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'
import { beginning, expectCreations, linesOf, oneByOne, survive } from './survivor.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a worker that is killed', { timeout: 600_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-survival-undo-'))
  let operator: Operator

  beforeAll(async () => {
    operator = await quickSandbox(root, { database: oneByOne, healthyWithin: '15s' })
    // What the sandbox brought up by itself is made anew by the first deploy, whatever it changes.
    await operator.start('deployWorkflow', 'deploy-first', { target: 'aria', ...release('2.1.0') })
    expect(await operator.end('deploy-first')).toMatchObject({ outcome: 'done' })
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  const release = (version: string) => ({ version, release: operator.sandbox.releases[version] })

  test('inside every step of a failing deploy and of its undo leaves everything as it was', async () => {
    const before = await stack()
    const bad = release('2.2.0-broken')
    const { outcome, hit, created } = await survive({ operator, root }, 'deployWorkflow', 'deploy-bad', bad)
    expect(outcome).toBe('Undone')
    expect(hit).toBe(
      [
        beginning,
        'takeRestorePoint proveRestorePoint keepMigrations keepImages putFiles buildImages migrateUp startServices checkHealth',
        'stopServices stopServices restoreDatabase swapDatabase restoreImages restoreFiles',
        'startServices checkHealth dropUnprovenCopy observeEnd finishRun',
      ].join(' '),
    )
    // Once there and once back.
    expectCreations(created, 2)
    expect(await stack()).toEqual(before)
    const swaps = await operator.journal('select state, sealed from stepback.operation')
    expect(swaps).toEqual([{ state: 'swapped', sealed: false }])
  })

  test('and Temporal with it, in the middle of a deploy, leave a way back by the script on the host', async () => {
    const [before, rows] = [await stack(), await operator.rows()]
    await operator.start('deployWorkflow', 'deploy-left', { target: 'aria', ...release('2.2.0-broken') })
    const { steps } = await operator.until('deploy-left', (it) =>
      (it.steps ?? []).some((step) => step.name === 'startServices' && step.state === 'running'),
    )
    expect(steps.find((step) => step.name === 'migrateUp')!.state).toBe('done')
    operator.killTemporal()
    operator.killWorker()
    const scripts = readdirSync(operator.sandbox.backups).filter((name) => name.startsWith('restore_'))
    const script = `sh '${operator.sandbox.backups}/${scripts.toSorted().at(-1)}' --yes --wait`
    // How long a run may be silent before it counts as gone is told where nobody has to wait for it.
    expect(await operator.onHost(`STEPBACK_UNRENEWED_SECONDS=1 ${script}`)).toMatch(/done: aria is at 2\.1\.0 again/)
    expect([await stack(), await operator.rows()]).toEqual([before, rows])
    operator.startTemporal()
    operator.startWorker()
    expect((await operator.end('deploy-left')).outcome).toBe('Fenced')
    expect([await leftovers(operator), await stack()]).toEqual(['', before])
  })

  /** What a deploy changes and its undo puts back, the values of the columns that a migration drops included. */
  async function stack(): Promise<object> {
    return {
      status: await operator.api('/api/status'),
      legacy: await operator.query(
        `select key, value from (select s.id::text, to_jsonb(s) as row from sessions s
         union all select m.id::text, to_jsonb(m) from messages m) t, jsonb_each_text(t.row)
         where key like 'openclaw%' order by id, key`,
      ),
      migrations: await operator.query('select name from migrations order by id'),
      files: ['VERSION', 'models.yaml', 'release.json', 'stacks/brain/docker-compose.yml', '.env'].map((file) =>
        linesOf(operator, file),
      ),
    }
  }
})
