import { describe, expect, test } from 'vitest'
import { chooseDestination } from '../../src/plan/destination.js'
import { amountOf, lossesOf, rowsOf } from '../../src/plan/exposure.js'
import type { Step } from '../../src/plan/act.js'
import type { LedgerEntry } from '../../src/plan/ledger.js'
import { planRevert, planRollback } from '../../src/plan/rollback.js'
import { chooseStrategy } from '../../src/plan/strategy.js'
import {
  afterDeploy,
  before210,
  candidate,
  database,
  deployPlan,
  deployRequest,
  exposure,
  facts,
  finished,
  m1,
  m2,
  m3,
  manifest,
  records,
  rollbackPlan,
  rollbackRequest,
  stack,
} from '../support/plans.js'

const irreversible = afterDeploy({ database: database({ applied: [m1.name, m3.name] }) })
const refused = (message: string) =>
  expect.objectContaining({ type: 'Refused', message: expect.stringContaining(message) })

describe('a database that others migrate', () => {
  const seen = afterDeploy({
    database: database({ known: [], applied: [], unrecorded: true, othersMigrate: true }),
  })
  const point = manifest()
  const then = candidate({ manifest: { ...point, database: { ...point.database!, migrations: [] } } })
  const choose = (changes: object) =>
    chooseStrategy({ asked: 'auto', facts: seen.database!, candidate: { ...then, ...changes }, took: new Map() })

  test('stays as it is where its schema is the one of the restore point', () => {
    expect(choose({})).toMatchObject({ strategy: null })
  })

  test('goes back with its release where the schema is another one', () => {
    expect(choose({ schemaChanged: true })).toMatchObject({
      strategy: 'restore',
      because: expect.stringContaining('the schema is another one'),
    })
  })
})

describe('the destination of a rollback', () => {
  test('is by default the restore point that was taken before the current release', () => {
    expect(chooseDestination(rollbackRequest(), afterDeploy())).toMatchObject({
      kind: 'restore-point',
      manifest: { id: before210 },
      because: `${before210} is the newest restore point of 2.0.0, which was good before 2.1.0`,
    })
  })

  test('is the restore point that is named', () => {
    const other = manifest({ id: '20261101T000000Z-1.9.0', version: '1.9.0' })
    expect(
      chooseDestination(rollbackRequest({ to: other.id }), afterDeploy({ manifests: [manifest(), other] })),
    ).toMatchObject({ manifest: other })
  })

  test('stays what latest meant when it was asked, whatever became current since', () => {
    const since = afterDeploy({ records: [] })
    expect(() => chooseDestination(rollbackRequest(), since)).toThrow('no release before the current one')
    expect(chooseDestination(rollbackRequest(), since, before210)).toMatchObject({ manifest: { id: before210 } })
  })

  test('is the release that an open deploy is about to replace, never the one before that', () => {
    const plan = { ...deployPlan(deployRequest({ version: '2.2.0' }), afterDeploy()), safety: '20261123T140211Z-2.1.0' }
    const run = { workflowId: 'deploy-open', runId: 'open' }
    const entries = afterDeploy().records.map((it) => it.entry)
    const open = records(...entries, { kind: 'plan', run, plan })
    const taken = { ...manifest(), id: plan.safety, version: '2.1.0' }
    const seen = afterDeploy({ records: open, manifests: [taken, manifest()] })
    expect(chooseDestination(rollbackRequest(), seen)).toMatchObject({ manifest: { id: plan.safety } })
    expect(() => chooseDestination(rollbackRequest(), { ...seen, manifests: [manifest()] })).toThrow('has only begun')
    const ended = records(...entries, { kind: 'plan', run, plan }, { kind: 'finished', run, outcome: 'undone' })
    expect(chooseDestination(rollbackRequest(), { ...seen, records: ended })).toMatchObject({
      manifest: { id: before210 },
    })
  })

  test('is the release before a deploy that could not undo itself, until a release came whole', () => {
    const plan = { ...deployPlan(deployRequest({ version: '2.2.0' }), afterDeploy()), safety: '20261123T140211Z-2.1.0' }
    const run = { workflowId: 'deploy-half', runId: 'half' }
    const taken = { ...manifest(), id: plan.safety, version: '2.1.0' }
    const destinationAfter = (...later: readonly LedgerEntry[]) => {
      const before = afterDeploy().records.map((it) => it.entry)
      const half = [
        { kind: 'plan', run, plan },
        { kind: 'finished', run, outcome: 'not-undone' },
      ] as const
      const seen = afterDeploy({ records: records(...before, ...half, ...later), manifests: [taken, manifest()] })
      const found = chooseDestination(rollbackRequest(), seen)
      return found.kind === 'restore-point' ? found.manifest.id : found.kind
    }
    expect(destinationAfter()).toBe(plan.safety)
    const other = { workflowId: 'deploy-other', runId: 'other' }
    const undone = [
      { kind: 'plan', run: other, plan },
      { kind: 'finished', run: other, outcome: 'undone' },
    ] as const
    expect(destinationAfter(...undone)).toBe(plan.safety)
    const back = finished({ kind: 'rollback', version: '2.1.0', restorePoint: plan.safety, paths: [] }, 'back')
    expect(destinationAfter(back)).toBe(before210)
  })

  test('may be any restore point but one whose manifest cannot be read', () => {
    const broken = { id: '20261120T100000Z-1.9.0', why: '"manifest_20261120T100000Z-1.9.0.json" cannot be read' }
    const seen = afterDeploy({ unreadable: [broken] })
    expect(chooseDestination(rollbackRequest(), seen)).toMatchObject({ manifest: { id: before210 } })
    expect(() => chooseDestination(rollbackRequest({ to: broken.id }), seen)).toThrow(refused(broken.why))
    const meant = { ...seen, manifests: [], unreadable: [{ ...broken, id: before210 }] }
    expect(() => chooseDestination(rollbackRequest(), meant)).toThrow(refused(broken.why))
  })

  test('is a revision only for the database alone', () => {
    expect(chooseDestination(rollbackRequest({ scope: 'database', to: '-1' }), afterDeploy())).toEqual({
      kind: 'revision',
      to: '-1',
    })
  })

  test.each([
    [
      'no release is recorded',
      rollbackRequest(),
      facts(),
      'no release before the current one is recorded for target "shop"',
    ],
    [
      'its restore point is gone',
      rollbackRequest(),
      afterDeploy({ manifests: [] }),
      `restore point "${before210}" of the release before 2.1.0 is gone`,
    ],
    [
      'there is none of that id',
      rollbackRequest({ to: 'nope' }),
      afterDeploy(),
      `target "shop" has no restore point "nope"; there are: ${before210}`,
    ],
  ])('is refused where %s', (_why, request, seen, message) => {
    expect(() => chooseDestination(request, seen)).toThrow(refused(message))
  })
})

describe('the strategy', () => {
  const choose = (asked: 'auto' | 'migrate' | 'swap' | 'restore', applied: string[], found = candidate()) =>
    chooseStrategy({
      asked,
      facts: database({ applied }),
      candidate: found,
      took: new Map([['restoreDatabase', 34_000]]),
    })

  test('is none where the database is at the same migrations: rows are kept', () => {
    expect(choose('auto', [m1.name])).toMatchObject({ strategy: null, down: [] })
  })

  test('is migrate over reversible migrations', () => {
    expect(choose('auto', [m1.name, m2.name])).toMatchObject({ strategy: 'migrate', down: [m2] })
  })

  test('is restore over an irreversible one, and says why', () => {
    expect(choose('auto', [m1.name, m3.name])).toMatchObject({
      strategy: 'restore',
      because: 'migrate cannot be: m003_drop is irreversible; swap cannot be: no warm copy is kept',
    })
  })

  test('is no restore where the server lacks a role or an extension that the dump names', () => {
    const then = manifest()
    const names = { roles: ['shop', 'reader'], extensions: [{ name: 'vector', version: '0.8.0' }] }
    const found = candidate({ manifest: { ...then, database: { ...then.database!, ...names } } })
    const has = (roles: string[], extensions: string[]) => () =>
      chooseStrategy({
        asked: 'restore',
        facts: database({ applied: [m1.name, m3.name], roles, extensions }),
        candidate: found,
        took: new Map(),
      })
    expect(has(['shop', 'reader'], ['vector'])).not.toThrow()
    expect(has(['shop'], ['plpgsql'])).toThrow(
      refused('restore: the server has no role "reader", extension "vector", which the dump names'),
    )
  })

  test('stands beside the others, each with why, how long it takes and what it loses', () => {
    const found = candidate({ exposure: exposure(12), downExposure: exposure(1) })
    const restore = {
      strategy: 'restore',
      reason: 'the restore point has a dump',
      estimateMs: 34_000,
      exposure: exposure(12),
    }
    const impossible = { verdict: 'impossible', estimateMs: null, exposure: null }
    const swap = { strategy: 'swap', reason: 'no warm copy is kept', ...impossible }
    const reason = 'every migration since can be reverted, and rows are kept'
    expect(choose('auto', [m1.name, m2.name], found).verdicts).toEqual([
      { strategy: 'migrate', verdict: 'chosen', reason, estimateMs: null, exposure: exposure(1) },
      swap,
      { ...restore, verdict: 'possible' },
    ])
    expect(choose('auto', [m1.name, m3.name], found).verdicts).toEqual([
      { strategy: 'migrate', reason: 'm003_drop is irreversible', ...impossible },
      swap,
      { ...restore, verdict: 'chosen' },
    ])
  })

  test('is restore where it is asked for, though migrate would do', () => {
    expect(choose('restore', [m1.name, m2.name])).toMatchObject({
      strategy: 'restore',
      because: 'restore was asked for',
    })
  })

  test.each([
    [
      'migrate over an irreversible migration',
      'migrate',
      [m1.name, m3.name],
      candidate(),
      'migrate: m003_drop is irreversible',
    ],
    [
      'migrate whose code is not here',
      'migrate',
      [m1.name, 'gone1700000000009'],
      candidate(),
      'migrate: the code of a migration is not known here',
    ],
    [
      'migrate towards a later schema',
      'migrate',
      [],
      candidate(),
      `migrate: ${m1.name} would have to be applied, not reverted`,
    ],
    ['swap without a warm copy', 'swap', [m1.name, m3.name], candidate(), 'swap: no warm copy is kept'],
    [
      'swap without a warm copy, even at the same migrations',
      'swap',
      [m1.name],
      candidate(),
      'swap: no warm copy is kept',
    ],
    [
      'restore of a broken restore point',
      'restore',
      [m1.name],
      candidate({ manifest: manifest({ state: 'broken' }) }),
      'restore: the restore point is broken',
    ],
    [
      'any of a restore point without a database',
      'auto',
      [m1.name, m3.name],
      candidate({ manifest: manifest({ migrations: null }) }),
      'restore: the restore point has no database',
    ],
  ] as const)('is refused for %s', (_what, asked, applied, found, message) => {
    expect(() => choose(asked, [...applied], found)).toThrow(refused(message))
  })
})

describe('the plan of a rollback', () => {
  test('over reversible migrations takes a dump first, and reverts them while the application is stopped', () => {
    const plan = planRollback(rollbackRequest(), afterDeploy(), candidate(), 'because')
    expect(plan.steps.map((step) => step.act.name)).toEqual([
      'takeRestorePoint',
      'keepImages',
      'stopServices',
      'restoreImages',
      'restoreFiles',
      'migrateDown',
      'startServices',
      'checkHealth',
      'checkVersion',
      'collectLogs',
    ])
    expect(plan.steps[0]!.act.args).toMatchObject({ database: 'dump' })
    expect(plan.steps[5]!.act.args).toEqual({ migrations: [m2.name], schemaOf: before210 })
    expect(plan).toMatchObject({
      strategy: 'migrate',
      version: '2.0.0',
      restorePoint: before210,
      safety: '20261123T140211Z-2.1.0',
    })
  })

  test('of the database alone touches neither files nor images', () => {
    const plan = planRollback(rollbackRequest({ scope: 'database' }), irreversible, candidate(), 'because')
    expect(plan.steps.map((step) => step.act.name)).toEqual([
      'takeRestorePoint',
      'keepImages',
      'restoreDatabase',
      'stopServices',
      'swapDatabase',
      'startServices',
      'checkHealth',
      'collectLogs',
    ])
    expect(plan.version).toBe('2.1.0')
  })

  test('does at once what needs nothing of each other; images are kept before anything stops', () => {
    const beside = (steps: readonly Step[]) => steps.filter((step) => step.beside).map((step) => step.act.name)
    expect(beside(rollbackPlan().steps)).toEqual(['keepImages', 'restoreDatabase', 'restoreImages'])
    const reverting = planRollback(rollbackRequest(), afterDeploy(), candidate(), 'because')
    expect(beside(reverting.steps)).toEqual(['keepImages', 'restoreImages', 'migrateDown'])
  })

  test('starts again, last of all, what it stopped, and where it stopped nothing starts nothing', () => {
    const undos = rollbackPlan().steps.map((step) => [step.act.name, step.undo.map((it) => it.name)] as const)
    expect(undos.filter(([, undo]) => undo.includes('startServices')).map(([name]) => name)).toEqual(['stopServices'])
    expect(undos.find(([name]) => name === 'stopServices')![1]).toEqual(['startServices', 'checkHealth'])
  })

  test('commits with the swap and with the start', () => {
    expect(
      rollbackPlan()
        .steps.filter((step) => step.commit)
        .map((step) => step.act.name),
    ).toEqual(['swapDatabase', 'startServices'])
  })

  test('never restores the image of the database', () => {
    const restore = rollbackPlan().steps.find((step) => step.act.name === 'restoreImages')!
    expect(JSON.stringify(restore)).not.toContain('postgres')
  })

  test.each([
    ['nothing would be lost', 0, false, 'the policy asks for none'],
    ['rows would be lost', 412, true, '412 rows would be lost'],
  ])('asks for an approval where %s: %j', (_what, total, required, why) => {
    const plan = planRollback(rollbackRequest(), irreversible, candidate({ exposure: exposure(total) }), 'because')
    expect(plan.approval).toMatchObject({ required, dataLoss: required, why })
    expect(plan.exposure!.total).toBe(total)
  })

  test('asks for an approval where nobody could count the rows', () => {
    const plan = planRollback(rollbackRequest(), irreversible, candidate({ exposure: null }), 'because')
    expect(plan.approval).toMatchObject({ required: true, dataLoss: true })
  })

  test('that keeps the rows asks nobody, whatever a restore would lose', () => {
    const plan = planRollback(rollbackRequest(), afterDeploy(), candidate({ exposure: exposure(412) }), 'because')
    expect(plan.approval.required).toBe(false)
    expect(plan.exposure).toEqual({ total: 0, tables: [] })
  })

  test('by downs that drop tables with rows, or that nobody can read, asks first', () => {
    const asks = (downExposure: ReturnType<typeof exposure> | null) =>
      planRollback(rollbackRequest(), afterDeploy(), candidate({ downExposure }), 'b')
    expect(asks(exposure(0)).approval.required).toBe(false)
    expect(asks(exposure(7))).toMatchObject({ approval: { required: true, dataLoss: true }, exposure: { total: 7 } })
    expect(asks(null).approval).toMatchObject({ required: true, why: expect.stringContaining('nobody could count') })
    const revert = planRevert(rollbackRequest({ scope: 'database', to: '-1' }), afterDeploy(), '-1', exposure(7))
    expect(revert.approval).toMatchObject({ required: true, dataLoss: true })
  })

  test('stops and removes services that the restore point does not know, since nothing else ever would', () => {
    const seen = afterDeploy()
    const more = ['mailer', 'of-an-inactive-profile'].map((service) => ({ ...seen.containers[1]!, service }))
    const brought = { services: { ...seen.model.services, mailer: seen.model.services['web']! } }
    const plan = planRollback(
      rollbackRequest(),
      { ...seen, model: brought, containers: [...seen.containers, ...more] },
      candidate(),
      'b',
    )
    const stop = plan.steps.find((step) => step.act.name === 'stopServices')!
    expect(stop.act.args).toEqual({ services: [...seen.stack.application, 'mailer'] })
    expect(plan.steps.at(-1)!.act).toMatchObject({ name: 'removeServices', args: { services: ['mailer'] } })
  })

  test('to a restore point without a dump leaves a database alone that is at its migration, and is refused at another', () => {
    const seen = afterDeploy()
    const at = (migrationHead: string) => candidate({ manifest: { ...manifest({ migrations: null }), migrationHead } })
    const same = planRollback(rollbackRequest(), seen, at(seen.database!.applied.at(-1)!), 'b')
    expect(same.strategy).toBeUndefined()
    expect(() => planRollback(rollbackRequest(), seen, at('m000_other1600000000000'), 'b')).toThrow('has no database')
  })

  test('says what it cannot know behind a manifest that cannot be read', () => {
    const because = (id: string) =>
      planRollback(rollbackRequest(), afterDeploy({ unreadable: [{ id, why: 'w' }] }), candidate(), 'b').because
    expect(because('20261123T120000Z-2.0.1')).toContain('the manifest of 20261123T120000Z-2.0.1 cannot be read')
    expect(because('20261101T120000Z-1.9.0')).not.toContain('cannot be read')
  })

  test('is not refused for a service that it brings back, nor for one that it takes along', () => {
    const named = { ...stack, named: [{ key: 'logs.service', service: 'mailer' }] }
    const finding = (ok: boolean) => [{ check: 'services', ok, detail: 'no mailer' }]
    const plan = (ok: boolean, found = candidate()) =>
      planRollback(rollbackRequest(), afterDeploy({ stack: named, findings: finding(ok) }), found, 'b')
    const bringing = candidate({
      model: { services: { ...candidate().model.services, mailer: candidate().model.services['web']! } },
    })
    expect(plan(false, bringing).already).toBe(false)
    expect(plan(true).already).toBe(false)
    expect(() => plan(false)).toThrow(refused('logs.service names "mailer"'))
  })

  test('is already there only where version, files, images and migrations are', () => {
    const there = afterDeploy({ version: '2.0.0', database: database() })
    const same = candidate({ changedFiles: [], changedImages: [] })
    expect(planRollback(rollbackRequest(), there, same, 'b')).toMatchObject({ already: true, steps: [] })
    expect(planRollback(rollbackRequest(), { ...there, version: '2.1.0' }, same, 'b').already).toBe(false)
    expect(planRollback(rollbackRequest(), there, candidate({ changedImages: [] }), 'b').already).toBe(false)
    expect(planRollback(rollbackRequest(), there, candidate({ changedFiles: [] }), 'b').already).toBe(false)
    expect(planRollback(rollbackRequest(), afterDeploy({ version: '2.0.0' }), same, 'b').already).toBe(false)
  })

  test('brings the database alone back though the images of then are gone', () => {
    const found = candidate({ missingImages: ['api sha256:x'] })
    const plan = planRollback(rollbackRequest({ scope: 'database' }), afterDeploy(), found, 'because')
    expect(plan.steps.map(({ act }) => act.name)).not.toContain('restoreImages')
    expect(plan.already).toBe(false)
  })

  test.each([
    [
      'images that are gone',
      rollbackRequest(),
      candidate({ missingImages: ['api sha256:x'] }),
      'are gone from the host: api sha256:x',
    ],
    [
      'an approval weaker than the policy',
      rollbackRequest({ approval: 'never' }),
      candidate(),
      'approval "never" is weaker than the policy "data-loss"',
    ],
    [
      'tables to carry forward where the database stays',
      rollbackRequest({ scope: 'containers', carryForward: 'all' }),
      candidate(),
      'scope "containers" leaves it alone',
    ],
  ])('is refused for %s', (_what, request, found, message) => {
    expect(() => planRollback(request, afterDeploy(), found, 'because')).toThrow(refused(message))
  })

  test('has a digest that does not move with the exposure, and moves with the restore point and the strategy', () => {
    const digest = rollbackPlan().digest
    expect(rollbackPlan(undefined, undefined, candidate({ exposure: exposure(9) })).digest).toBe(digest)
    expect(rollbackPlan(undefined, afterDeploy()).digest).not.toBe(digest)
    expect(
      rollbackPlan(undefined, undefined, candidate({ manifest: manifest({ id: '20260101T000000Z-1.0.0' }) })).digest,
    ).not.toBe(digest)
  })
})

describe('the values of a column that a down drops', () => {
  test('are shown, and need no approval: the rows stay', () => {
    const table = {
      table: 'orders',
      column: 'note',
      inserted: 0,
      updated: 0,
      deleted: 3,
      newest: null,
      method: 'exact',
    }
    const downExposure = { total: rowsOf([table]), tables: [table] }
    const plan = planRollback(rollbackRequest(), afterDeploy(), candidate({ downExposure }), 'because')
    expect(plan.exposure).toEqual({ total: 0, tables: [table] })
    expect(plan.approval.required).toBe(false)
    expect(amountOf(downExposure)).toBe('3 values of columns')
    expect(lossesOf(downExposure.tables)).toEqual(['loses column orders.note (3 values)'])
  })
})

describe('a rollback of the database to a revision', () => {
  const request = rollbackRequest({ scope: 'database', to: 'm001_start' })

  test('reverts the migrations behind it, newest first', () => {
    const plan = planRevert(request, afterDeploy(), 'm001', exposure(0))
    expect(plan).toMatchObject({
      strategy: 'migrate',
      because: 'm001 was asked for, which reverts m002_orders',
      already: false,
    })
    expect(plan.steps.find(({ act }) => act.name === 'migrateDown')!.act.args).toEqual({ migrations: [m2.name] })
  })

  test('is already there where nothing is behind it', () => {
    expect(planRevert(request, facts(), 'm001_start', exposure(0))).toMatchObject({ already: true, steps: [] })
  })

  test.each([
    ['an irreversible migration', request, irreversible, 'm001_start', 'm003_drop is irreversible'],
    ['a revision ahead', request, facts(), 'm002_orders', 'revision "m002_orders" lies ahead of what is applied'],
    [
      'another strategy',
      rollbackRequest({ scope: 'database', strategy: 'restore' }),
      afterDeploy(),
      '-1',
      'strategy "restore" needs a restore point, and "-1" is a revision',
    ],
    ['a target without a database', request, afterDeploy({ database: null }), '-1', 'target "shop" has no database'],
    [
      'migrations that are not known',
      request,
      facts({ database: database({ applied: [m1.name, 'x1700000000009'] }) }),
      'm001_start',
      'the code of x1700000000009 is not known here',
    ],
  ])('is refused for %s', (_what, asked, seen, to, message) => {
    expect(() => planRevert(asked, seen, to, exposure(0))).toThrow(refused(message))
  })
})

test('a deadline comes from the configuration', () => {
  const seen = afterDeploy({
    stack: { ...stack, approval: { ...stack.approval, deadline: '1ms' }, operatorDeadlineMs: 2 },
  })
  expect(rollbackPlan(undefined, seen).deadlines).toEqual({ approvalMs: 1, operatorMs: 2 })
})

test('a rollback of a release that was rolled back does not count as a release before', () => {
  const seen = afterDeploy({
    records: records(
      finished({ kind: 'deploy', version: '2.1.0', restorePoint: before210, paths: [] }),
      finished({ kind: 'rollback', version: '2.0.0', restorePoint: before210, paths: [] }, 'r2'),
    ),
  })
  expect(() => chooseDestination(rollbackRequest(), seen)).toThrow(
    refused('no release before the current one is recorded'),
  )
})

test('a rollback that bad files stop says which copies to put back by hand', () => {
  const bad = { check: 'compose file', ok: false, detail: 'cannot read it', hint: 'mend the file.' }
  const stopped = { ...irreversible, findings: [bad] }
  const hint = `hint: mend the file. Those of ${before210} are in the backups directory: copy "docker-compose_${before210}.yml" over "docker-compose.yml", "env_${before210}" over ".env".`
  expect(() => rollbackPlan(undefined, stopped)).toThrow(hint)
  expect(() => rollbackPlan(rollbackRequest({ scope: 'database', to: before210 }), stopped)).toThrow(
    /hint: mend the file\.$/,
  )
})
