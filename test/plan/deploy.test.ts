import { describe, expect, test } from 'vitest'
import { planDeploy } from '../../src/plan/deploy.js'
import { allLevels } from '../../src/plan/running.js'
import type { Hook } from '../../src/plan/facts.js'
import { planNotes } from '../../src/plan/plan.js'
import {
  afterDeploy,
  candidate,
  container,
  database,
  deployPlan,
  deployRequest,
  facts,
  finished,
  m1,
  m2,
  m3,
  model,
  records,
  release,
  rollbackPlan,
  stack,
} from '../support/plans.js'

const names = (plan: ReturnType<typeof planDeploy>) => plan.steps.map((step) => step.act.name)
const undoOf = (plan: ReturnType<typeof planDeploy>, name: string) =>
  plan.steps.find((step) => step.act.name === name)!.undo

describe('the steps of a deploy', () => {
  test('take a restore point first, build before anything restarts, and look last', () => {
    expect(names(planDeploy(deployRequest(), facts(), release))).toEqual([
      'takeRestorePoint',
      'keepImages',
      'putFiles',
      'buildImages',
      'migrateUp',
      'startServices',
      'checkHealth',
      'checkVersion',
      'watchHealth',
      'collectLogs',
    ])
  })

  test('keep the compiled migrations on the host, right behind the restore point', () => {
    const plan = planDeploy(deployRequest(), facts({ database: database({ code: 'c0de' }) }), release)
    expect(names(plan)[1]).toBe('keepMigrations')
    expect(plan.steps[1]!.act.args).toEqual({ sha256: 'c0de', release: release.directory })
    expect(plan.steps[1]!.undo).toEqual([])
  })

  test('leave migrations to a release that brings its own, and would bring the database back if it has', () => {
    const others = facts({ database: database({ known: [], applied: ['theirs1700000000009'], othersMigrate: true }) })
    const plan = planDeploy(deployRequest({ migrateTo: 'head' }), others, { ...release, migrateTo: 'nobody-knows' })
    const step = plan.steps.find((it) => it.act.name === 'migrateUp')!
    expect(step.act).toMatchObject({ title: 'leave migrations to the release', args: { migrations: [] } })
    expect(step.undo.map((it) => it.name)).toEqual(['stopServices', 'restoreDatabase', 'swapDatabase'])
  })

  test('leave out what the target does not have: release, database, version check, logs, builds', () => {
    const bare = {
      ...facts({ database: null, model: { services: { web: { image: 'nginx:1', builds: false, dependsOn: [] } } } }),
      stack: { ...stack, databaseService: null, asksVersion: false, logs: false },
    }
    expect(names(planDeploy(deployRequest(), bare, null))).toEqual([
      'takeRestorePoint',
      'keepImages',
      'startServices',
      'checkHealth',
      'watchHealth',
    ])
  })

  test('start every service but the database, in the order of their dependencies', () => {
    const start = planDeploy(deployRequest(), facts(), release).steps[5]!.act
    expect(start.args).toEqual({
      levels: [
        { services: ['api'], wait: false },
        { services: ['web'], wait: false },
        { services: ['worker'], wait: false, awaits: ['api'] },
      ],
    })
  })

  test('capture managed files, files that earlier releases brought, and those of this one, without compose and environment file', () => {
    const seen = facts({
      records: records(
        finished({ kind: 'deploy', version: '2.0.0', restorePoint: 'x', paths: ['api/old.py', '.env'] }),
      ),
    })
    expect(planDeploy(deployRequest(), seen, release).steps[0]!.act.args).toEqual({
      version: '2.0.0',
      database: 'dump',
      head: m1.name,
      paths: ['api/main.py', 'api/old.py', 'models.yaml'],
      // Of what is there before the release comes.
      levels: allLevels(seen),
    })
  })
})

test('a rehearsal finds the migrations in the release: nothing on the host has them yet', () => {
  const proof = { ...stack.proof, when: 'background' } as const
  const { steps } = planDeploy(deployRequest(), facts({ stack: { ...stack, proof } }), release)
  const [proves] = steps.filter(({ act }) => act.name === 'proveRestorePoint')
  expect(proves!.act.args).toMatchObject({ rehearse: [m2.name], release: release.directory })
})

describe('the undo of a deploy', () => {
  test('stops and removes what the release brought, too: the stack that it goes back to does not know it', () => {
    const mailer = { image: 'shop-mailer', builds: true, dependsOn: [] }
    const brings = { ...release, model: { services: { ...release.model.services, mailer } } }
    expect(undoOf(planDeploy(deployRequest(), facts(), brings), 'startServices')).toMatchObject([
      { name: 'stopServices', args: { services: [...facts().stack.application, 'mailer'] } },
      { name: 'removeServices', args: { services: ['mailer'] } },
    ])
  })

  test('starts what the release has no more: it is stopped before the others start and removed when all is well', () => {
    const { web: _web, ...services } = release.model.services
    const { steps } = planDeploy(deployRequest(), facts(), { ...release, model: { services } })
    const names = steps.map(({ act }) => act.name)
    const acts = (name: string) => steps.filter(({ act }) => act.name === name).map(({ act }) => act.args)
    expect(acts('stopServices')).toEqual([{ services: ['web'] }])
    expect(acts('removeServices')).toEqual([{ services: ['web'] }])
    expect(names.indexOf('stopServices')).toBe(names.indexOf('startServices') - 1)
    expect(names.indexOf('removeServices')).toBeGreaterThan(names.indexOf('watchHealth'))
    const [start] = steps.find(({ act }) => act.name === 'keepImages')!.undo
    const levels = start!.name === 'startServices' ? start!.args.levels : []
    expect(levels.flatMap((it) => it.services)).toContain('web')
  })

  test('leaves a service of an inactive profile alone, and the database', () => {
    const more = { service: 'of-a-profile', id: 'c-p', imageId: 'sha256:p', imageRef: 'p', running: true, health: null }
    const seen = facts()
    const { steps } = planDeploy(deployRequest(), { ...seen, containers: [...seen.containers, more] }, release)
    expect(steps.map(({ act }) => act.name)).not.toContain('removeServices')
  })

  test('of migrations that can be reverted is their down, with the schema compared', () => {
    expect(undoOf(planDeploy(deployRequest(), facts(), release), 'migrateUp')).toEqual([
      {
        name: 'migrateDown',
        title: 'revert m002_orders',
        args: { migrations: [m2.name], schemaOf: 'safety', mayLoseRows: 0 },
      },
    ])
  })

  test('of migrations that lost something on a copy is the database itself, proven before the first change', () => {
    const proof = { ...stack.proof, when: 'background' } as const
    const lossy = { ...m2, loses: 'loses column orders.kind (12 values)' }
    const seen = facts({ stack: { ...stack, proof }, database: database({ known: [m1, lossy, m3] }) })
    const plan = planDeploy(deployRequest(), seen, release)
    expect(undoOf(plan, 'migrateUp').map((act) => act.name)).toEqual([
      'stopServices',
      'restoreDatabase',
      'swapDatabase',
    ])
    expect(plan.steps.find(({ act }) => act.name === 'proveRestorePoint')).not.toHaveProperty('background')
  })

  test('of irreversible ones stops the application, builds the database beside, and swaps within the bound', () => {
    const seen = facts({ stack: { ...stack, mayLoseRows: 5 } })
    const undo = undoOf(planDeploy(deployRequest({ migrateTo: 'head' }), seen, release), 'migrateUp')
    expect(undo.map((act) => act.name)).toEqual(['stopServices', 'restoreDatabase', 'swapDatabase'])
    expect(undo[2]!.args).toEqual({ from: 'safety', mayLoseRows: 5 })
  })

  test('starts exactly the services that ran, the database left alone', () => {
    const seen = facts({ containers: [container('db'), container('api'), container('web', { running: false })] })
    expect(undoOf(planDeploy(deployRequest(), seen, release), 'keepImages')[0]!.args).toEqual({
      levels: [{ services: ['api'], wait: false }],
    })
  })

  test('gives the images their references back', () => {
    expect(undoOf(planDeploy(deployRequest(), facts(), release), 'buildImages')[0]).toMatchObject({
      name: 'restoreImages',
      args: {
        images: [{ service: 'api', id: 'sha256:api', ref: 'shop-api' }, { service: 'web' }, { service: 'worker' }],
      },
    })
  })
})

test('a service that the configuration names may come with the release, or is refused', () => {
  const named = [{ key: 'logs.service', service: 'mailer' }]
  const seen = facts({
    stack: { ...stack, named },
    findings: [{ check: 'services', ok: false, detail: 'logs.service names "mailer"' }],
  })
  const mailer = { image: 'mailer', builds: false, dependsOn: [] }
  const brings = { ...release, model: { services: { ...model.services, mailer } } }
  expect(names(planDeploy(deployRequest(), seen, brings))).toContain('startServices')
  expect(() => planDeploy(deployRequest(), seen, release)).toThrow(/logs.service names "mailer"/)
})

test('asks for the version again that a deploy without an end left running, before any release was recorded', () => {
  const request = deployRequest({ version: '2.1.0' })
  const run = { namespace: 'default', workflowId: 'deploy-left', runId: 'left' }
  const left = records({ kind: 'plan', run, plan: deployPlan(request) })
  const seen = facts({ version: '2.1.0', records: left })
  expect(names(planDeploy(request, seen, release))).toContain('startServices')
  expect(() => planDeploy(request, { ...seen, records: [] }, release)).toThrow(/already runs/)
})

describe('a deploy is refused', () => {
  test.each([
    [
      'the version that runs',
      deployRequest({ version: '2.0.0' }),
      facts(),
      'version "2.0.0" already runs on target "shop"',
    ],
    [
      'a host that is not fit',
      deployRequest(),
      facts({ findings: [{ check: 'disk', ok: false, detail: '1 GB free' }] }),
      'target "shop" is not fit for a run: disk: 1 GB free',
    ],
    [
      'a revision behind what is applied',
      deployRequest({ migrateTo: m1.revision }),
      facts({ database: database({ applied: [m1.name, m2.name] }) }),
      'revision "m001_start" lies behind what is applied',
    ],
    [
      'migrations that nobody knows here',
      deployRequest(),
      facts({ database: database({ applied: [m1.name, 'other1700000000009'] }) }),
      'the database has migrations that are not known here: other1700000000009',
    ],
  ])('for %s', (_what, request, seen, message) => {
    expect(() => planDeploy(request, seen, release)).toThrow(
      expect.objectContaining({ type: 'Refused', message: expect.stringContaining(message) }),
    )
  })

  test('for an approval that is weaker than the policy', () => {
    const seen = facts({ stack: { ...stack, approval: { ...stack.approval, deploy: 'always', rollback: 'always' } } })
    expect(() => planDeploy(deployRequest({ approval: 'never' }), seen, release)).toThrow(
      'approval "never" is weaker than the policy "always"',
    )
  })

  test('but not for the same version with redeploy', () => {
    expect(
      planDeploy(deployRequest({ version: '2.0.0', redeploy: true }), facts(), release).steps.length,
    ).toBeGreaterThan(5)
  })
})

test('the version that runs is the one of the ledger, whatever the application answers', () => {
  const seen = facts({
    version: 'x',
    records: records(finished({ kind: 'deploy', version: '2.0.5', restorePoint: 'r', paths: [] })),
  })
  expect(planDeploy(deployRequest(), seen, release)).toMatchObject({
    because: '2.1.0 replaces 2.0.5',
    safety: '20261123T140211Z-2.0.5',
  })
})

describe('the hooks of a deploy', () => {
  const hook = (when: Hook['when']): Hook => ({ name: when, when, command: ['true'], timeout: '5m' })
  const moments = ['after-deploy', 'after-healthy', 'before-restart', 'before-deploy'] as const
  const seen = facts({ stack: { ...stack, hooks: moments.map(hook) } })

  test('are steps at their moments, each with an undo that only ends it', () => {
    const plan = planDeploy(deployRequest(), seen, release)
    expect(plan.steps.map(({ act }) => (act.name === 'runHook' ? act.title : act.name))).toEqual([
      'takeRestorePoint',
      'keepImages',
      'hook before-deploy',
      'putFiles',
      'buildImages',
      'migrateUp',
      'hook before-restart',
      'startServices',
      'checkHealth',
      'checkVersion',
      'hook after-healthy',
      'watchHealth',
      'collectLogs',
      'hook after-deploy',
    ])
    expect(undoOf(plan, 'runHook').map((act) => act.name)).toEqual(['endHook'])
  })

  test('run neither in a rollback nor in an undo', () => {
    const back = rollbackPlan(undefined, afterDeploy({ stack: { ...stack, hooks: moments.map(hook) } }))
    const undos = planDeploy(deployRequest(), seen, release).steps.flatMap((step) => step.undo)
    expect([...back.steps.map((step) => step.act), ...undos].filter((act) => act.name === 'runHook')).toEqual([])
  })

  test('refuse a deploy whose host does not have their programs, and no rollback', () => {
    expect(() => planDeploy(deployRequest(), facts({ missingPrograms: ['notify'] }), release)).toThrow(
      expect.objectContaining({ type: 'Refused', message: expect.stringContaining('has no notify, which hooks run') }),
    )
    expect(() => rollbackPlan(undefined, afterDeploy({ missingPrograms: ['notify'] }))).not.toThrow()
  })
})

describe('the checks of a deploy', () => {
  const seen = facts({ stack: { ...stack, checks: ['unit', 'memory'] } })

  test('are named in the plan, with the release that they run in, and are no part of its digest', () => {
    const plan = deployPlan(deployRequest(), seen)
    const { directory, sha256 } = release
    expect(plan.checks).toEqual({ names: ['unit', 'memory'], version: '2.1.0', release: { directory, sha256 } })
    expect(planNotes(plan)).toEqual(['checks before anything else: unit, memory'])
    expect(plan.digest).toBe(deployPlan().digest)
  })

  test('are skipped by a hotfix, which says so, and takes its restore point all the same', () => {
    const plan = planDeploy(deployRequest({ hotfix: true, reason: 'down' }), seen, release)
    expect(plan).not.toHaveProperty('checks')
    expect(plan.because).toBe('2.1.0 replaces 2.0.0; a hotfix, so checks and proof are skipped')
    expect(plan.approval.why).toBe('a hotfix asks nobody')
    expect(names(plan)[0]).toBe('takeRestorePoint')
  })
})

test('keys of the environment file that change are part of the plan, by name', () => {
  const environment = { changed: ['LOG_LEVEL'], kept: [] }
  const plan = deployPlan(deployRequest(), facts(), { ...release, environment })
  expect(planNotes(plan)).toEqual(['other values in the environment file: LOG_LEVEL'])
  const back = rollbackPlan(undefined, undefined, candidate({ environment: { changed: [], kept: ['DB_PASSWORD'] } }))
  expect(planNotes(back)).toEqual(['secrets that keep their live values: DB_PASSWORD'])
})

describe('the approval of a deploy', () => {
  const always = facts({ stack: { ...stack, approval: { ...stack.approval, deploy: 'always', rollback: 'always' } } })
  test.each([
    ['is not asked for by default', deployRequest(), facts(), false],
    ['is asked for by the policy', deployRequest(), always, true],
    ['is skipped by a hotfix', deployRequest({ hotfix: true, reason: 'down' }), always, false],
    ['is asked for where the request wants it', deployRequest({ approval: 'always' }), facts(), true],
    ['is asked for where the bound of rows is raised', deployRequest({ mayLoseRows: 10 }), facts(), true],
    [
      'is asked for even of a hotfix that raises the bound',
      deployRequest({ hotfix: true, reason: 'down', mayLoseRows: 10 }),
      facts(),
      true,
    ],
    [
      'is not asked for where the bound is lowered',
      deployRequest({ mayLoseRows: 0 }),
      facts({ stack: { ...stack, mayLoseRows: 5 } }),
      false,
    ],
  ])('%s', (_what, request, seen, required) => {
    expect(planDeploy(request, seen, release).approval.required).toBe(required)
  })
})

describe('the migrations of a deploy', () => {
  const migrations = (request = deployRequest(), brought = release) =>
    planDeploy(request, facts(), brought).steps.flatMap(({ act }) =>
      act.name === 'migrateUp' ? act.args.migrations : [],
    )

  test('are all that are known by default', () => {
    expect(migrations(deployRequest({ migrateTo: 'head' }))).toEqual([m2.name, m3.name])
  })

  test('end at the revision that the release says its code is written for', () => {
    expect(migrations(deployRequest({ migrateTo: 'head' }), { ...release, migrateTo: m2.revision })).toEqual([m2.name])
  })

  test('end where the request says, against the release', () => {
    expect(migrations(deployRequest({ migrateTo: 'none' }), { ...release, migrateTo: m2.revision })).toEqual([])
  })
})

describe('the digest', () => {
  test.each([
    ['the time', deployRequest(), facts({ at: '2027-01-01T00:00:00Z' })],
    ['reason and person', deployRequest({ reason: 'why not', requestedBy: 'ann' }), facts()],
    ['a dry run', deployRequest({ dryRun: true }), facts()],
    [
      'ids of containers',
      deployRequest(),
      facts({ containers: facts().containers.map((it) => ({ ...it, id: `other-${it.id}` })) }),
    ],
  ])('does not move with %s', (_what, request, seen) => {
    expect(deployPlan(request, seen).digest).toBe(deployPlan().digest)
  })

  test.each([
    ['the version', deployRequest({ version: '2.1.1' }), facts(), release],
    ['the bytes of the release', deployRequest(), facts(), { ...release, sha256: 'ffff' }],
    [
      'the images that run',
      deployRequest(),
      facts({ containers: [container('api', { imageId: 'sha256:new' })] }),
      release,
    ],
    ['the migrations', deployRequest({ migrateTo: 'head' }), facts(), release],
    ['what the undo may lose', deployRequest({ mayLoseRows: 3, migrateTo: 'head' }), facts(), release],
    [
      'what would be started',
      deployRequest(),
      facts(),
      { ...release, model: { services: { ...model.services, web: { ...model.services['web']!, dependsOn: [] } } } },
    ],
  ])('moves with %s', (_what, request, seen, brought) => {
    expect(deployPlan(request, seen, brought).digest).not.toBe(deployPlan().digest)
  })

  test('is that of the canonical text, whatever the order of keys', () => {
    const { target, version, ...rest } = deployRequest()
    expect(deployPlan({ ...rest, version, target }).digest).toBe(deployPlan().digest)
  })
})
