import { describe, expect, test } from 'vitest'
import { planContainers } from '../../src/plan/containers.js'
import { chooseDestination } from '../../src/plan/destination.js'
import type { ContainersFacts, Facts } from '../../src/plan/facts.js'
import type { LedgerEntry } from '../../src/plan/ledger.js'
import type { Plan } from '../../src/plan/plan.js'
import type { RollbackRequest } from '../../src/plan/request.js'
import {
  afterDeploy,
  before210,
  finished,
  manifest,
  model,
  records,
  rollbackPlan,
  rollbackRequest,
  stack,
} from '../support/plans.js'

const asked = (changes: Partial<RollbackRequest> = {}) => rollbackRequest({ scope: 'containers', ...changes })

function recorded(changes: Partial<ContainersFacts> = {}): ContainersFacts {
  const images = ['api', 'web', 'worker'].map((service) => ({
    service,
    id: `sha256:old-${service}`,
    ref: model.services[service]!.image,
    present: `sha256:${service}`,
    kept: true,
  }))
  return { manifest: manifest(), model, images, changedFiles: ['docker-compose.yml'], absentImages: [], ...changes }
}

function plan(request = asked(), seen: Facts = afterDeploy(), found = recorded()): Omit<Plan, 'digest'> {
  return planContainers(request, seen, found, 'because')
}

const names = ({ steps }: Pick<Plan, 'steps'>) => steps.map(({ act }) => act.name)
const argsOf = ({ steps }: Pick<Plan, 'steps'>, name: string) => steps.find(({ act }) => act.name === name)!.act.args

describe('a rollback of named services', () => {
  const one = plan(asked({ services: ['api'] }))

  test('is undone by those services alone, and by no one command where one of them did not run', () => {
    expect(one.undo).toEqual({ scope: 'containers', services: ['api'] })
    const seen = afterDeploy()
    const without = { ...seen, containers: seen.containers.filter((it) => it.service !== 'api') }
    expect(plan(asked({ services: ['api'] }), without).undo).toBeNull()
    expect(plan(asked(), without).undo).toEqual({ scope: 'containers' })
  })

  test('puts their images behind the references of now, and touches no other container, no file and no database', () => {
    expect(names(one)).toEqual([
      'takeRestorePoint',
      'keepImages',
      'stopServices',
      'restoreImages',
      'startServices',
      'checkHealth',
      'collectLogs',
    ])
    expect(one.steps[0]!.act.args).toMatchObject({ database: 'none' })
    expect(argsOf(one, 'stopServices')).toEqual({ services: ['api'] })
    expect(argsOf(one, 'restoreImages')).toEqual({
      images: [{ service: 'api', id: 'sha256:old-api', ref: 'shop-api' }],
    })
    expect(argsOf(one, 'startServices')).toEqual({ levels: [{ services: ['api'], wait: false }] })
    expect(one.approval.required).toBe(false)
  })

  test('starts no other container in its undo, either', () => {
    const undo = one.steps.flatMap((step) => step.undo)
    expect(undo.map(({ name }) => name)).toEqual(['startServices', 'checkHealth', 'restoreImages', 'stopServices'])
    expect(JSON.stringify(undo)).not.toMatch(/web|worker/)
  })

  test('keeps the version, and expects none to answer', () => {
    expect(one).toMatchObject({ version: '2.1.0', answers: null, restorePoint: before210 })
  })

  test('says that the database stays', () => {
    const then = recorded({ manifest: manifest({ migrationHead: 'm001_start1700000000001' }) })
    expect(plan(undefined, undefined, then).because).toBe(
      'because; the database stays at m002_orders1700000000002, and was at m001_start1700000000001 then',
    )
  })

  test('is already there where they run the recorded images and their references have them', () => {
    const seen = afterDeploy()
    const containers = seen.containers.map((it) => ({ ...it, imageId: `sha256:old-${it.service}` }))
    const there = (present: string) =>
      plan(
        asked({ services: ['api'] }),
        { ...seen, containers },
        recorded({ images: [{ ...recorded().images[0]!, present }], changedFiles: [] }),
      ).already
    expect(there('sha256:old-api')).toBe(true)
    expect(there('sha256:overwritten')).toBe(false)
  })
})

describe('a rollback of all containers', () => {
  test('puts the compose file back, and nothing else of the files', () => {
    const all = plan()
    expect(argsOf(all, 'restoreFiles')).toMatchObject({ only: ['docker-compose.yml'] })
    expect(all.steps.find(({ act }) => act.name === 'restoreFiles')!.undo[0]!.args).toMatchObject({
      from: 'safety',
      only: ['docker-compose.yml'],
    })
    expect(argsOf(all, 'startServices')).toMatchObject({
      levels: [{ services: ['api'] }, { services: ['web'] }, { services: ['worker'], awaits: ['api'] }],
    })
    expect(all).toMatchObject({ version: '2.0.0', restorePoint: before210 })
    expect(names(all)).toContain('checkVersion')
  })

  test('brings a service back that the compose file of now has no more, or when nobody can read that file', () => {
    const { web: _web, ...left } = model.services
    const finding = { check: 'services', ok: false, detail: 'logs.service names "web"' }
    const named = { ...stack, named: [{ key: 'logs.service', service: 'web' }] }
    const seen = afterDeploy({ stack: named, model: { services: left }, findings: [finding] })
    expect(JSON.stringify(argsOf(plan(asked(), seen), 'startServices'))).toContain('web')
    const broken = { check: 'compose file', ok: false, detail: 'line 3' }
    const blind = afterDeploy({ model: { services: {} }, findings: [broken] })
    expect(argsOf(plan(asked(), blind), 'keepImages')).toMatchObject({ images: [{}, {}, {}] })
  })
})

test('no version is expected of a restore point at which containers of another one ran', () => {
  const run = (runId: string) => ({ workflowId: `run-${runId}`, runId })
  const rest = rollbackPlan()
  const one = { ...rest, scope: 'containers', safety: '20261123T120000Z-2.1.0' }
  const seen = afterDeploy({
    records: records(
      { kind: 'plan', run: run('a'), plan: one },
      { kind: 'finished', run: run('a'), outcome: 'done' },
      { kind: 'plan', run: run('b'), plan: { ...rest, safety: before210 } },
      finished({ kind: 'deploy', version: '2.1.0', restorePoint: before210, paths: [] }, 'b'),
    ),
  })
  for (const back of [plan(asked(), seen), rollbackPlan(rollbackRequest(), seen)]) {
    expect(back.answers).toBeNull()
    expect(names(back)).not.toContain('checkVersion')
  }
  expect(names(rollbackPlan())).toContain('checkVersion')
})

describe('a rollback of containers is refused', () => {
  test('for a strategy, which is for the database; and services are named for no other scope', () => {
    expect(() => rollbackPlan(rollbackRequest({ services: ['api'] }))).toThrow('services were named: api')
    expect(() => plan(asked({ strategy: 'swap' }))).toThrow('strategy "swap" is one for the database')
  })

  const { web: _web, ...left } = model.services
  const refuses = (services: string[] | undefined, found = recorded(), seen = afterDeploy()) =>
    expect(() => plan(asked(services ? { services } : {}), seen, found))
  const image = recorded().images[0]!

  test('for an image that was pruned, but not where another service ran it', () => {
    const found = recorded({ images: [{ ...image, kept: false }, ...recorded().images.slice(1)] })
    refuses(['api'], found).toThrow(`images of restore point "${before210}" are gone from the host: api sha256:old-api`)
    refuses(['web'], found).not.toThrow()
  })

  test('for a service that the compose file of now does not have, with the way to bring it back', () => {
    const seen = afterDeploy({ model: { services: left } })
    refuses(['web'], recorded({ model: seen.model }), seen).toThrow(
      /no service "web"; it has api, db, worker\nhint: `stepback rollback shop --scope containers --to/,
    )
    refuses(['nope']).toThrow(/no service "nope".*\nhint: mend --services/)
  })

  test('for the database, and for a service that did not run then', () => {
    refuses(['db']).toThrow('service "db" is the database')
    refuses(['api'], recorded({ manifest: manifest({ images: [] }) })).toThrow('has no image of "api"')
  })

  test('for a reference that another service has as well, or that is fixed by a digest', () => {
    const shared = { services: { ...model.services, web: { ...model.services['web']!, image: 'shop-api' } } }
    refuses(['api'], recorded({ model: shared })).toThrow('in common with "web", which would get its image, too')
    refuses(['api'], recorded({ images: [{ ...image, ref: 'api@sha256:1' }] })).toThrow('by its digest')
  })
})

test('a version means the newest restore point that captured it, not one of single containers that had gone back', () => {
  const run = (runId: string) => ({ workflowId: runId, runId })
  const safety = { ...plan(asked({ services: ['api'] })), digest: '' }
  const mixed = { ...manifest(), id: '20261124T100000Z-2.1.0', version: '2.1.0' }
  const whole = { ...mixed, id: '20261123T150000Z-2.1.0' }
  const entries: LedgerEntry[] = [
    finished({ kind: 'deploy', version: '2.1.0', restorePoint: before210, paths: [] }),
    { kind: 'plan', run: run('a'), plan: { ...safety, safety: whole.id } },
    { kind: 'finished', run: run('a'), outcome: 'done' },
    { kind: 'plan', run: run('b'), plan: { ...safety, safety: mixed.id } },
  ]
  const seen = afterDeploy({ records: records(...entries), manifests: [mixed, whole, manifest()] })
  const to = (version: string) => chooseDestination(asked({ to: version }), seen)
  expect(to('2.1.0')).toMatchObject({ manifest: { id: whole.id } })
  expect(to('2.0.0')).toMatchObject({ manifest: { id: before210 } })
  expect(() => to('1.0.0')).toThrow('no restore point "1.0.0"')
  expect(() => chooseDestination(rollbackRequest({ to: '2.0.0' }), seen)).toThrow('no restore point "2.0.0"')
})
