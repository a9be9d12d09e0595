import { expect, test } from 'vitest'
import { type Anchor, verify } from '../../src/plan/anchors.js'

const hash = (number: number, version = 'a') => `${version}${number}`.padEnd(64, '0')
const records = (count: number, version = 'a') =>
  Array.from({ length: count }, (_, index) => ({ number: index + 1, sha256: hash(index + 1, version) }))
const anchor = (number: number, run = `run-${number}`): Anchor => ({ number, sha256: hash(number), run })

test('a record that every history agrees with has no finding, and says how far they reach', () => {
  expect(verify({ records: records(9), damage: [], anchors: [anchor(7), anchor(3)] })).toEqual({
    entries: 9,
    anchors: 2,
    newest: anchor(7),
    findings: [],
  })
})

test('what the chain itself finds is said by number', () => {
  const damage = [{ number: 4, what: 'is missing, 5 follows' }]
  expect(verify({ records: records(9), damage, anchors: [] }).findings).toEqual(['entry 4 is missing, 5 follows'])
})

test('a chain that was computed anew is another than its writers saw', () => {
  expect(verify({ records: records(9, 'b'), damage: [], anchors: [anchor(8), anchor(5), anchor(2)] }).findings).toEqual(
    ['entry 2 is not the one that run-2 saw: it was changed, or the chain was computed anew; 2 more say so'],
  )
})

test('an end that was cut off is missed by who saw it, an empty record included', () => {
  expect(verify({ records: records(4), damage: [], anchors: [anchor(4), anchor(6)] }).findings).toEqual([
    'the end was cut off: run-6 saw entry 6, and the last one is 4',
  ])
  expect(verify({ records: [], damage: [], anchors: [anchor(1)] }).findings).toEqual([
    'the end was cut off: run-1 saw entry 1, and the last one is 0',
  ])
})
