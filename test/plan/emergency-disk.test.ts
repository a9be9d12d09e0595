import { describe, expect, test } from 'vitest'
import { type DiskFacts, dumpsToGo } from '../../src/plan/emergency/disk.js'
import type { EmergencyFacts } from '../../src/plan/emergency/facts.js'
import type { Manifest } from '../../src/plan/manifest.js'
import { emergencyFacts, emergencyPlan, emergencyRequest } from '../support/emergencies.js'
import { container, manifest, records, stack, warm } from '../support/plans.js'

const request = emergencyRequest({ procedure: 'disk-full', reason: 'no space left on device' })
const idOf = (hour: number) => `20261123T${String(hour).padStart(2, '0')}0000Z-2.0.0`
const point = (hour: number, changes: Parameters<typeof manifest>[0] = {}) => manifest({ id: idOf(hour), ...changes })
const volume = (key: string, project = 'shop') => ({ name: `${project}_${key}`, project, key })

function disk(changes: Partial<DiskFacts> = {}): DiskFacts {
  return {
    dockerRoot: '/var/lib/docker',
    endedRuns: [],
    danglingImages: [],
    volumes: [],
    mounted: [],
    named: ['data', 'shop_data'],
    remembered: [],
    manifests: [],
    unreadable: 0,
    shelf: [],
    ...changes,
  }
}

function argsOf(name: string, changes: Partial<DiskFacts>, facts: Partial<EmergencyFacts> = {}) {
  const plan = emergencyPlan(request, emergencyFacts({ disk: disk(changes), freeBytes: 0, ...facts }))
  return plan.steps.find(({ act }) => act.name === name)?.act.args
}

test('a full disk is measured, emptied of what nobody needs, and measured again; the reserve goes before the lease', () => {
  const plan = emergencyPlan(request, emergencyFacts({ disk: disk(), freeBytes: 0 }))
  expect(plan.steps.map(({ act }) => act.name)).toEqual(['measureDisk', 'pruneBuildCache', 'removeLogs', 'measureDisk'])
  expect(plan).toMatchObject({ freesReserve: true, because: '0.0 MB are free where backups lie' })
  expect(plan.steps.every(({ undo, commit }) => undo.length === 0 && !commit)).toBe(true)
})

test('each kind of thing can be left alone by configuration', () => {
  const facts = emergencyFacts({ disk: disk({ danglingImages: ['sha256:1'], volumes: [volume('old')] }) })
  const none = { dumps: 5, containers: false, images: false, buildCache: false, volumes: false, logs: null }
  const plan = emergencyPlan(request, { ...facts, settings: { ...facts.settings, disk: none } })
  expect(plan.steps.map(({ act }) => act.name)).toEqual(['measureDisk', 'measureDisk'])
})

test('every other emergency frees the reserve where the lease would find no room', () => {
  const at = (freeBytes: number) => emergencyPlan(emergencyRequest(), emergencyFacts({ freeBytes })).freesReserve
  expect([at(0), at(1e9), at(Number.NaN)]).toEqual([true, undefined, undefined])
})

describe('a stopped container', () => {
  const ended = (service: string, changes = {}) => container(service, { running: false, state: 'exited', ...changes })
  const gone = (containers: EmergencyFacts['containers'], facts: Partial<EmergencyFacts> = {}, found = {}) =>
    (
      argsOf('removeContainers', found, { containers, ...facts }) as { containers: { id: string }[] } | undefined
    )?.containers.map((it) => it.id)

  test('goes, as does an ended run of Compose', () => {
    const containers = [container('api'), ended('web'), ended('worker', { state: 'dead' })]
    expect(gone(containers, {}, { endedRuns: ['r1'] })).toEqual(['c-web', 'c-worker', 'r1'])
  })

  test('stays where it runs, restarts or was only made', () => {
    const states = ['running', 'restarting', 'paused', 'created']
    expect(gone(states.map((state) => container('api', { running: state !== 'created', state })))).toBeUndefined()
  })

  test('stays where it is the database', () => {
    expect(gone([ended('db')])).toBeUndefined()
  })

  test('stays where its volume would not come back with it', () => {
    expect(gone([ended('web', { volumes: ['data'] })])).toEqual(['c-web'])
    expect(gone([ended('web', { volumes: ['f00d'] })])).toBeUndefined()
    expect(gone([ended('web', { volumes: ['data'] })], {}, { named: null })).toBeUndefined()
  })

  test('stays where a stop on purpose stopped it', () => {
    const stopped = records({ kind: 'stopped', run: { workflowId: 'stop', runId: '0' }, ran: ['web'] })
    expect(gone([ended('web')], { records: stopped })).toBeUndefined()
  })
})

describe('a dangling image', () => {
  test('goes but for those that a restore point would bring back', () => {
    const needed = manifest().images[0]!.id
    const images = { danglingImages: ['sha256:1', needed], manifests: [manifest()] }
    expect(argsOf('removeImages', images)).toMatchObject({ images: ['sha256:1'] })
    expect(argsOf('removeImages', { ...images, unreadable: 1 })).toBeUndefined()
  })
})

describe('a volume', () => {
  const gone = (changes: Partial<DiskFacts>, facts: Partial<EmergencyFacts> = {}) =>
    (argsOf('removeVolumes', changes, facts) as { volumes: string[] } | undefined)?.volumes

  test("goes where it has this project's label and nobody could own it", () => {
    expect(gone({ volumes: [volume('old'), volume('data'), volume('old', 'brain')] })).toEqual(['shop_old'])
  })

  test.each([
    ['a container has it, running or stopped', { mounted: ['shop_old'] }],
    ['the files name it, for a service that does not run, too', { named: ['old', 'shop_old'] }],
    ['nobody can read the files', { named: null }],
    ['a restore point would bring its service back', { remembered: ['old'] }],
  ])('stays where %s', (_why, changes) => {
    expect(gone({ volumes: [volume('old')], ...changes })).toBeUndefined()
  })

  test('stays where further compose files of restore points are out of sight', () => {
    const several = { stack: { ...stack, composeFiles: ['a.yml', 'b.yml'] } }
    expect(gone({ volumes: [volume('old')] }, several)).toEqual(['shop_old'])
    expect(gone({ volumes: [volume('old')], manifests: [manifest()] }, several)).toBeUndefined()
  })

  test('stays where Compose did not make it', () => {
    expect(gone({ volumes: [{ name: 'x', project: 'shop', key: '' }] })).toBeUndefined()
  })
})

describe('dumps', () => {
  const go = (manifests: readonly Manifest[], shelf: readonly string[] = [], more = {}) => {
    const { files, points } = dumpsToGo({ manifests, shelf, keep: 5, held: [], ...more })
    return [...files, ...points.map((it) => it.id)]
  }
  const eight = [1, 2, 3, 4, 5, 6, 7, 8].map((hour) => point(hour, { state: hour === 8 ? 'proven' : 'taken' }))

  test('beyond the newest five go, the oldest first', () => {
    expect(go(eight)).toEqual([1, 2, 3].map(idOf))
    expect(go(eight.slice(3))).toEqual([])
  })

  test('leave the last proven one that is not suspiciously small', () => {
    const points = eight.map((it, index) =>
      index < 2 ? { ...it, state: 'proven' as const } : { ...it, small: 'small' },
    )
    expect(go(points)).toEqual([1, 3].map(idOf))
  })

  test('from before stepback come first, by their names; a dump of its own is none of them', () => {
    const shelf = ['db_2.sql', 'db_1.sql.gz', `db_${idOf(1)}.sql`, 'db_3.dump', 'mydb_1.sql']
    expect(go(eight, shelf)).toEqual(['db_1.sql.gz', 'db_2.sql', ...[1, 2, 3].map(idOf)])
    expect(go(eight.slice(0, 4), shelf)).toEqual(['db_1.sql.gz'])
    expect(go(eight, shelf, { held: ['db_1.sql.gz', idOf(2)] })).toEqual(['db_2.sql', idOf(1), idOf(3)])
  })

  test('stay where they are the last proven one, pinned, or would leave a database that nobody finds', () => {
    const unproven = eight.map((it) => (it.id === idOf(8) ? point(8) : it))
    const changed = (hour: number, changes: object) =>
      unproven.map((it) => (it.id === idOf(hour) ? point(hour, changes) : it))
    expect(go(changed(1, { state: 'proven' }))).toEqual([2, 3].map(idOf))
    expect(go(changed(2, { pins: [{ by: 'ada' }] }))).toEqual([1, 3].map(idOf))
    expect(go(changed(3, { warm, state: 'proven' }))).toEqual([1, 2].map(idOf))
  })

  test('of restore points without one count for none', () => {
    expect(go([...eight.slice(3), point(9, { migrations: null })])).toEqual([])
  })
})
