import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../src/plan/manifest.js'
import { leftovers, namesOf, retired, smallness } from '../../src/plan/retention.js'
import { manifest } from '../support/plans.js'

const id = (day: number) => `202611${String(day).padStart(2, '0')}T000000Z-2.0.0`
const point = (day: number, changes: Partial<Manifest> = {}) => manifest({ id: id(day), state: 'proven', ...changes })
const days = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const goes = (manifests: readonly Manifest[], more: Partial<Parameters<typeof retired>[0]> = {}) =>
  retired({ manifests, retention: { keep: 3, counts: 'proven' }, held: [], ...more }).map((it) => it.id)

describe('retention', () => {
  test('leaves the newest ones, and names the others oldest first', () => {
    expect(goes(days(1, 5).map((day) => point(day)))).toEqual([id(1), id(2)])
    expect(goes(days(1, 3).map((day) => point(day)))).toEqual([])
  })

  test('counts proven ones alone, and takes unproven ones along only behind the last that stays', () => {
    const mixed = [point(1, { state: 'taken' }), point(2), point(3, { state: 'broken' }), point(4), point(5)]
    expect(goes(mixed)).toEqual([id(1)])
    expect(goes([...mixed, point(6, { state: 'taken' })])).toEqual([id(1)])
  })

  test('counts what was taken where nothing is ever proven, but for a doubtful one', () => {
    const taken = days(1, 4).map((day) => point(day, { state: 'taken' }))
    const retention = { keep: 3, counts: 'taken' } as const
    expect(goes(taken, { retention })).toEqual([id(1)])
    const doubtful = [...taken.slice(0, 3), point(4, { state: 'taken', doubt: 'small' })]
    expect(goes(doubtful, { retention })).toEqual([])
  })

  test('lets a dump that is suspiciously small push nothing out, though it was proven', () => {
    const points = [...days(1, 3).map((day) => point(day)), ...days(4, 6).map((day) => point(day, { small: 'small' }))]
    expect(goes(points)).toEqual([])
    expect(goes([...points, point(7)])).toEqual([id(1)])
  })

  test('leaves alone what is pinned, and what somebody may still go back to', () => {
    const points = [point(1, { pins: [{ by: 'ann' }] }), ...days(2, 6).map((day) => point(day))]
    expect(goes(points, { held: [id(2)] })).toEqual([id(3)])
  })
})

test('leftovers are files with an id and no manifest, whatever else lies there', () => {
  const names = [...namesOf('20261123T140211Z-2.0.0'), ...namesOf('20261124T140211Z-2.1.0-rc.beta').slice(1)]
  const others = ['db_20260101.sql', 'db_backup.dump', '.stepback', 'manifest_x.json', 'env_20261123T140211Z-', 'notes']
  expect(leftovers([...names, ...others], [])).toEqual(['20261124T140211Z-2.1.0-rc.beta'])
  expect(leftovers([...names, ...others], ['20261124T140211Z-2.1.0-rc.beta'])).toEqual([])
})

test('a dump of less than half of its forerunner is doubted, and says of which', () => {
  const dumped = (day: number, bytes: number, changes: Partial<Manifest> = {}) => {
    const name = `db_${id(day)}.dump`
    const database = { ...manifest().database!, file: name }
    return point(day, { database, files: [{ name, sha256: 'x', bytes, mode: '0600' }], ...changes })
  }
  const before = [dumped(1, 9_000), dumped(2, 1_000), dumped(3, 10, { small: 'small' })]
  expect(smallness(499, before)).toBe(`its dump of 499 bytes is suspiciously small: that of ${id(2)} has 1000`)
  expect(smallness(500, before)).toBeUndefined()
  expect(smallness(1, [])).toBeUndefined()
})
