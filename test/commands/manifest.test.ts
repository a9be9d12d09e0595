import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manifestLines, writeManifest } from '../../src/commands/manifest.js'
import { manifest } from '../support/plans.js'

let backups: string
beforeEach(() => (backups = mkdtempSync(join(tmpdir(), "stepback it's $HOME "))))
afterEach(() => rmSync(backups, { recursive: true, force: true }))

test('a manifest arrives byte for byte, private, and under its name only when it is whole', () => {
  const nasty = manifest({ pins: [{ by: "o'ann", reason: 'a\nSTEPBACK-MANIFEST\n$HOME `id` größe \\' }] })
  const script = writeManifest({ backups, manifest: nasty })
  for (let run = 0; run < 2; run++) execFileSync('sh', ['-c', script])
  expect(readdirSync(backups)).toEqual([`manifest_${nasty.id}.json`])
  const file = join(backups, `manifest_${nasty.id}.json`)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(nasty)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(script.indexOf('.part')).toBeLessThan(script.indexOf('mv -f'))
})

test('every manifest is read as a line of its own, one without a byte, too, and nothing else', () => {
  const read = () => execFileSync('sh', ['-c', manifestLines(backups)], { encoding: 'utf8' })
  expect(read()).toBe('')
  writeFileSync(join(backups, 'manifest_1.json'), '{\n  "a": "%s \\n größe"\n}\n')
  writeFileSync(join(backups, 'manifest_2.json'), '')
  writeFileSync(join(backups, 'manifest_3.json'), '{ "b": 1 }')
  writeFileSync(join(backups, 'manifest_4.json.part'), '{}')
  mkdirSync(join(backups, 'manifest_5.json'))
  expect(read().split('\n')).toEqual([
    'manifest_1.json {  "a": "%s \\n größe"}',
    'manifest_2.json ',
    'manifest_3.json { "b": 1 }',
    '',
  ])
  expect(execFileSync('sh', ['-c', manifestLines(`${backups}/not-there`)], { encoding: 'utf8' })).toBe('')
})
