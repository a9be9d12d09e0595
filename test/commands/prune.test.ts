import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { listShelf, pruneRestorePoints } from '../../src/commands/prune.js'
import { namesOf } from '../../src/plan/retention.js'

const backups = mkdtempSync(join(tmpdir(), "it's $HOME "))
afterAll(() => rmSync(backups, { recursive: true, force: true }))

const docker = 'docker() { echo "$@" >>"$BACKUPS/said"; return 1; }\n'
const sh = (script: string) =>
  execFileSync('sh', ['-c', docker + script], { encoding: 'utf8', env: { ...process.env, BACKUPS: backups } })

test('a prune removes all of one restore point and its tags, nothing of another, however often it runs', () => {
  const [old, kept] = ['20261101T000000Z-2.0.0', '20261101T000000Z-2.0.0+1']
  for (const name of [...namesOf(old), ...namesOf(kept), 'db_before.sql']) writeFileSync(join(backups, name), '')
  const prune = pruneRestorePoints({ target: 'shop', backups, points: [{ id: old, services: ['api'] }] })
  sh(prune)
  sh(prune)
  const left = ['db_before.sql', 'said', ...namesOf(kept)].toSorted()
  expect(readdirSync(backups).toSorted()).toEqual(left)
  expect(sh(`cat "$BACKUPS/said"`).split('\n')[0]).toBe(`image rm --no-prune stepback/shop-api:${old}`)
  expect(sh(listShelf(backups)).trim().split('\n').toSorted()).toEqual(left)
})

test('a shelf that is not there is empty', () => {
  expect(sh(listShelf(`${backups}/none`))).toBe('')
})

test('a manifest goes first, so that a prune that is killed leaves no half of a restore point', () => {
  const [first] = namesOf('20261101T000000Z-2.0.0')
  expect(first).toBe('manifest_20261101T000000Z-2.0.0.json')
})
