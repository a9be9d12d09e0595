// The worker is killed inside every step of a deploy, of a deploy that fails and of a rollback, in this order on one
// sandbox: each run ends as if nothing had happened.

import { mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { creationsDuring } from './creations.js'
import { killInsideEveryStep } from './killer.js'
import { doneTwice, leftovers } from './leftovers.js'
import type { Operator } from './operator.js'
import { quickSandbox, remove } from './quick-sandbox.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a worker that is killed', { timeout: 600_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-survival-'))
  const start = 'plan acquireLease plan recordPlan takeRestorePoint'
  const application = ['aria-api', 'aria-brain', 'aria-web']
  let operator: Operator
  let rowsAtFirst: Record<string, string>

  beforeAll(async () => {
    // One thing after the other, and no copy that would spare an undo its restore.
    operator = await quickSandbox(root, { proof: { when: 'before', keep: 0 } })
    rowsAtFirst = await operator.rows()
  }, 300_000)

  afterAll(() => remove(root, operator), 120_000)

  /** Runs it with a death in every step, and looks at all that must be so whatever the run was to do. */
  async function survive(type: 'deployWorkflow' | 'rollbackWorkflow', run: string, request: object) {
    let hit: readonly string[] = []
    const created = await creationsDuring(root, async () => {
      await operator.start(type, run, { target: 'aria', reason: 'a test', ...request })
      hit = await killInsideEveryStep(operator, run)
    })
    const ended = await operator.end(run)
    const activities = await operator.activities(run)
    expect(activities.filter(({ before }) => before !== 'TIMEOUT_TYPE_HEARTBEAT')).toEqual([])
    expect(activities.map(({ name }) => name)).toEqual(hit)
    expect(doneTwice(operator, await operator.runId(run))).toBe('')
    expect(await leftovers(operator)).toBe('')
    expect(await operator.rows()).toEqual(rowsAtFirst)
    expect(linesOf('deploy.log').filter((line) => line.includes(` ${run} `))).toHaveLength(1)
    return { ...ended, hit: hit.join(' '), created }
  }

  const linesOf = (file: string) => readFileSync(join(operator.sandbox.directory, file), 'utf8').split('\n')
  const release = (version: string) => ({ version, release: operator.sandbox.releases[version] })
  /** Each container that was made at all was made so often, those of the release among them. */
  function expectCreations(created: Readonly<Record<string, number>>, times: number): void {
    expect(Object.keys(created)).toEqual(expect.arrayContaining(application))
    expect(Object.entries(created).filter(([, found]) => found !== times)).toEqual([])
  }

  test('inside every step of a deploy leaves a deploy that is done', async () => {
    const { outcome, result, hit, created } = await survive('deployWorkflow', 'deploy-good', release('2.1.0'))
    expect(outcome).toBe('done')
    expect(hit).toBe(
      [
        start,
        'proveRestorePoint keepMigrations keepImages putFiles buildImages migrateUp startServices checkHealth checkVersion watchHealth',
        'collectLogs observeEnd finishRun',
      ].join(' '),
    )
    expectCreations(created, 1)
    expect(result.health.filter((it) => !it.healthy)).toEqual([])
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0', revision: 'a007_add_engine_fields' })
  })

  test('inside every step of a failing deploy and of its undo leaves everything as it was', async () => {
    const before = await stack()
    const { outcome, hit, created } = await survive('deployWorkflow', 'deploy-bad', release('2.2.0-broken'))
    expect(outcome).toBe('Undone')
    expect(hit).toBe(
      [
        start,
        'proveRestorePoint keepMigrations keepImages putFiles buildImages migrateUp startServices checkHealth',
        'stopServices stopServices restoreDatabase swapDatabase restoreImages restoreFiles',
        'startServices checkHealth dropUnprovenCopy observeEnd finishRun',
      ].join(' '),
    )
    // Once there and once back.
    expectCreations(created, 2)
    expect(await stack()).toEqual(before)
    expect(await swaps()).toEqual([{ state: 'swapped', sealed: false }])
  })

  test('inside every step of a rollback leaves a rollback that is done', async () => {
    const { outcome, hit, created } = await survive('rollbackWorkflow', 'rollback-restore', { strategy: 'restore' })
    expect(outcome).toBe('done')
    expect(hit).toBe(
      [
        start,
        'keepImages restoreDatabase stopServices restoreFiles swapDatabase restoreImages startServices',
        'checkHealth checkVersion collectLogs observeEnd finishRun',
      ].join(' '),
    )
    expectCreations(created, 1)
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
    expect(readdirSync(join(operator.sandbox.directory, 'aria_skills'))).not.toContain('catalogue.md')
    expect(await swaps()).toHaveLength(2)
  })

  test('and Temporal with it, in the middle of a deploy, leave a way back by the script on the host', async () => {
    const before = await stack()
    await operator.start('deployWorkflow', 'deploy-left', { target: 'aria', ...release('2.1.0') })
    const { steps } = await operator.until('deploy-left', (it) =>
      (it.steps ?? []).some((step) => step.name === 'startServices' && step.state === 'running'),
    )
    expect(steps.find((step) => step.name === 'migrateUp')!.state).toBe('done')
    operator.killTemporal()
    operator.killWorker()
    const scripts = readdirSync(operator.sandbox.backups).filter((name) => name.startsWith('restore_'))
    const script = `sh '${operator.sandbox.backups}/${scripts.toSorted().at(-1)}' --yes --wait`
    // How long a run may be silent before it counts as gone is told where nobody has to wait for it.
    expect(await operator.onHost(`STEPBACK_UNRENEWED_SECONDS=1 ${script}`)).toMatch(/done: aria is at 2\.0\.0 again/)
    expect([await stack(), await operator.rows()]).toEqual([before, rowsAtFirst])
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
      files: ['VERSION', 'models.yaml', 'release.json', 'stacks/brain/docker-compose.yml', '.env'].map(linesOf),
    }
  }

  const swaps = () => operator.journal('select state, sealed from stepback.operation order by opened_at')
})
