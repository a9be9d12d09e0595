import { describe, expect, test } from 'vitest'
import { type Fitness, fitness } from '../../src/plan/fitness.js'

const well: Fitness = {
  target: 'shop',
  stop: null,
  reserve: 'there',
  aheadSeconds: 1,
  health: [{ check: 'api', healthy: true, detail: 'status 200' }],
  version: '2.0.0',
  missingPrograms: [],
}
const bad = (changes: Partial<Fitness>) => fitness({ ...well, ...changes }).filter((it) => !it.ok)

test('a target that is well has no bad finding', () => {
  expect(bad({})).toEqual([])
})

describe('what a run would find out only later is bad, with a way to mend it', () => {
  test.each<[Partial<Fitness>, string, string]>([
    [{ aheadSeconds: -90 }, 'clock', '90 s behind this machine'],
    [{ aheadSeconds: 31 }, 'clock', '31 s ahead of this machine'],
    [
      { missingPrograms: ['pg_dump'] },
      'database programs',
      "the database's container has no pg_dump for user postgres",
    ],
    [{ health: [{ check: 'api', healthy: false, detail: 'status 502' }] }, 'health', 'api: status 502'],
    [{ version: null }, 'version', 'no answer'],
    [{ reserve: 'missing' }, 'reserve', 'without it no emergency can act on a disk that has no byte left'],
  ])('%j', (changes, check, detail) => {
    expect(bad(changes)).toEqual([{ check, ok: false, detail, hint: expect.any(String) }])
  })
})

test('a target without checks, version and database is fit, and is told what it lacks', () => {
  const { version: _version, missingPrograms: _programs, ...rest } = well
  const found = fitness({ ...rest, health: [], version: undefined, missingPrograms: undefined, reserve: null })
  expect(found.every((it) => it.ok)).toBe(true)
  expect(found.map((it) => it.check)).toEqual(['clock', 'health'])
  expect(found.at(-1)?.hint).toContain('health.checks')
})

test('what was stopped on purpose is not called sick', () => {
  const stop = { by: 'emergency-shop-1', since: '2026-11-23T14:02:11Z', ran: ['api', 'web'] }
  expect(bad({ stop, health: [{ check: 'api', healthy: false, detail: 'no answer' }], version: null })).toEqual([
    {
      check: 'stop',
      ok: false,
      detail: 'api, web were stopped on purpose by emergency-shop-1',
      hint: 'start it: stepback emergency shop start.',
    },
  ])
})

test('a clock that nobody could read is no finding', () => {
  expect(fitness({ ...well, aheadSeconds: null }).map((it) => it.check)).not.toContain('clock')
})
