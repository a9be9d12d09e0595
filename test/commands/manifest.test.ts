import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeManifest } from '../../src/commands/manifest.js'
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
