import { expect, test } from 'vitest'
import { managedFindings } from '../../src/plan/managed.js'

const tree = { path: 'conf', entries: 3, kilobytes: 12, special: null }

test('managed directories are named where they are well, and nothing is said where there is none', () => {
  expect(managedFindings([tree], ['soul'])).toEqual([{ check: 'managed', ok: true, detail: 'conf' }])
  expect(managedFindings([], ['soul'])).toEqual([])
})

test.each([
  [{ ...tree, special: 'conf/a pipe' }, '"conf/a pipe" is neither a file, a link nor a directory'],
  [{ ...tree, entries: 2_001 }, '"conf" holds 2001 entries, more than 2000'],
  [{ ...tree, kilobytes: 300_000 }, '"conf" holds 300000 KiB, more than 262144'],
  [{ ...tree, path: 'mind' }, '"mind" holds the protected path "mind/soul"'],
])('a managed directory that no restore point can hold is named with the reason', (bad, detail) => {
  expect(managedFindings([tree, bad], ['mind/soul'])).toMatchObject([{ ok: false, detail }])
})
