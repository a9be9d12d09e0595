// With this machine's own tools, in a directory of its own.

import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  findReserve,
  freeReserve,
  keepReserve,
  measureDisks,
  measuring,
  removals,
  removeEach,
  removeLogs,
} from '../../src/commands/disk.js'

const root = mkdtempSync(join(tmpdir(), "stepback-disk it's "))
const sh = (script: string) => execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', stdio: 'pipe' })
afterAll(() => rmSync(root, { recursive: true }))

test('a reserve is missed only where a run was that could have made it', () => {
  const state = join(root, 'a state')
  mkdirSync(join(state, 'ledger'), { recursive: true })
  expect(sh(findReserve(state))).toBe('')
  writeFileSync(join(state, 'ledger', '1.json'), '')
  expect(sh(findReserve(state))).toBe('missing\n')
  sh(keepReserve(state, 9_999))
  expect(sh(findReserve(state))).toBe('there\n')
  rmSync(state, { recursive: true })
})

test('a reserve is made once, whole and of what no file system makes smaller, and freed', () => {
  sh(keepReserve(root, 100_000))
  const { mtimeNs, size, blocks } = statSync(join(root, 'reserve'), { bigint: true })
  expect([size, blocks * 512n >= size]).toEqual([100_000n, true])
  sh(keepReserve(root, 50_000))
  expect(statSync(join(root, 'reserve'), { bigint: true }).mtimeNs).toBe(mtimeNs)
  sh(freeReserve(root))
  sh(freeReserve(root))
  expect(readdirSync(root)).toEqual([])
})

test('a reserve is not made where there is no room for three, nor where none is wanted', () => {
  sh(keepReserve(root, 1e15))
  expect(readdirSync(root)).toEqual([])
  expect(keepReserve(root, 0)).toBe('')
})

test('a disk is measured by its free bytes and all of them; what cannot be told is empty', () => {
  const [own, none] = sh(measureDisks([root, join(root, 'not there')])).split('\n')
  expect(own).toMatch(/^\d+ \d+$/)
  expect(none).toBe('')
})

test('a place is measured around what frees it, and what fails there still fails', () => {
  const lines = sh(measuring(root, 'echo 1 0\n')).split('\n')
  expect(lines).toEqual([expect.stringMatching(/^\d+ \d+$/), '1 0', expect.stringMatching(/^\d+ \d+$/), ''])
  expect(sh(measuring(join(root, 'not there'), 'echo 1 0\n'))).toBe('\n1 0\n\n')
  expect(() => sh(measuring(root, 'set -e\nfalse\necho not reached\n'))).toThrow('Command failed')
})

test('what will not go keeps nothing else, and is counted', () => {
  const file = join(root, 'it is\none')
  writeFileSync(file, '')
  expect(sh(removeEach([removals.file(file), removals.file(join(root, 'gone'))]))).toBe('1 1\n')
  expect(removals.volume("a'b")).toBe(`docker volume rm 'a'\\''b'`)
})

test('old logs go, and nothing else: no new one, no other name, nothing behind a link', () => {
  const directory = join(root, 'project')
  const logs = join(directory, 'logs')
  mkdirSync(join(logs, 'deep'), { recursive: true })
  mkdirSync(join(root, 'elsewhere'))
  symlinkSync(join(root, 'elsewhere'), join(logs, 'link'))
  symlinkSync(join(root, 'elsewhere'), join(directory, 'linked'))
  const names = [
    'project/logs/a b.log',
    'project/logs/deep/c.log',
    'project/logs/new.log',
    'project/logs/old.md',
    'elsewhere/x.log',
  ]
  for (const name of names) {
    writeFileSync(join(root, name), '')
    const days = name.includes('new') ? 29 : 32
    utimesSync(join(root, name), new Date(), new Date(Date.now() - days * 86_400_000))
  }
  expect(sh(removeLogs({ directory, path: 'logs', olderThanDays: 30 })).trim()).toBe('2 0')
  expect(names.filter((name) => existsSync(join(root, name)))).toEqual(names.slice(2))
  expect(sh(removeLogs({ directory, path: 'not/there', olderThanDays: 30 })).trim()).toBe('0 0')
  expect(() => sh(removeLogs({ directory, path: 'linked', olderThanDays: 30 }))).toThrow(
    'a directory on the way is a link',
  )
})
