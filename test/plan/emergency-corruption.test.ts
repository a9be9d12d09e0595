import { describe, expect, test } from 'vitest'
import type { EmergencyFacts } from '../../src/plan/emergency/facts.js'
import { emergencyFacts, emergencyPlan, emergencyRequest } from '../support/emergencies.js'
import { container, manifest, stack } from '../support/plans.js'

const request = emergencyRequest({ procedure: 'database-corruption', reason: 'invalid page', requestedBy: 'ada' })
const older = manifest({ id: '20261122T100000Z-2.0.0', state: 'proven' })
const newer = manifest({ id: '20261123T100000Z-2.0.0', state: 'warm' })
const unproven = manifest({ id: '20261123T110000Z-2.0.0', state: 'taken' })
const dumps = (whole: readonly string[]) => ({ manifests: [unproven, newer, older], whole })
const whole = [unproven, newer, older].map(({ id }) => id)
const plan = (changes: Partial<EmergencyFacts> = {}) =>
  emergencyPlan(request, emergencyFacts({ dumps: dumps(whole), ...changes }))
const names = (it: ReturnType<typeof plan>) => it.steps.map(({ act }) => act.name)

test('the newest proven restore point is built beside the live database and exchanged with it, which is kept and pinned', () => {
  const made = plan()
  expect(names(made)).toEqual([
    'stopServices',
    'fenceDatabase',
    'takeRestorePoint',
    'restoreDatabase',
    'swapDatabase',
    'setPins',
    'startServices',
    'checkHealth',
    'collectLogs',
  ])
  expect(made.steps.filter((it) => it.beside).map(({ act }) => act.name)).toEqual(['fenceDatabase', 'restoreDatabase'])
  expect(made.restorePoint).toBe(newer.id)
  const args = Object.fromEntries(made.steps.map(({ act }) => [act.name, act.args]))
  expect(args['takeRestorePoint']).toMatchObject({ database: 'kept' })
  expect(args['swapDatabase']).toEqual({ from: newer.id, mayLoseRows: null, unjudged: true })
  expect(args['setPins']).toMatchObject({ id: made.safety, pins: [{ by: 'ada' }] })
  expect(args['fenceDatabase']).toEqual({ must: true })
})

test('whatever fails before the exchange is put back: the application runs again as it was', () => {
  const [stop] = plan().steps
  expect(stop).toMatchObject({ commit: false, undo: [{ name: 'startServices' }, { name: 'checkHealth' }] })
  expect(plan().steps.findIndex(({ commit }) => commit)).toBe(4)
})

test('a database that does not run is started first, alone', () => {
  const down = [container('db', { running: false }), container('api')]
  expect(names(plan({ containers: down })).slice(0, 3)).toEqual(['stopServices', 'startServices', 'fenceDatabase'])
  expect(
    plan({ containers: down })
      .steps.slice(0, 3)
      .some((it) => it.beside),
  ).toBe(false)
  expect(plan({ containers: down }).steps[1]!.act.args).toEqual({ levels: [{ services: ['db'], wait: true }] })
})

describe('a restore point', () => {
  test('whose dump was cut off is passed over', () => {
    expect(plan({ dumps: dumps([older.id]) }).restorePoint).toBe(older.id)
  })

  test('whose dump is suspiciously small is passed over, proven or not', () => {
    const small = { ...newer, small: 'its dump of 1 bytes is suspiciously small' }
    expect(plan({ dumps: { manifests: [small, older], whole } }).restorePoint).toBe(older.id)
    const alone = () => plan({ dumps: { manifests: [small], whole } })
    expect(alone).toThrow(`with its dump; of ${newer.id} its dump of 1 bytes is suspiciously small`)
  })

  test('is not there: refused before anything stops, with what can be done', () => {
    expect(() => plan({ dumps: dumps([unproven.id]) })).toThrow(
      'no proven restore point with its dump; the dumps of 20261123T100000Z-2.0.0, 20261122T100000Z-2.0.0 are not whole',
    )
    expect(() => plan({ dumps: { manifests: [], whole: [] } })).toThrow('has no proven restore point with its dump')
    expect(() => plan({ stack: { ...stack, databaseService: null } })).toThrow('has no database')
  })
})
