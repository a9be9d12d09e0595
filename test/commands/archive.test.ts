import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { archiveDirectory, removeArchives, restoreArchive } from '../../src/commands/archive.js'

const root = mkdtempSync(join(tmpdir(), "it's $HOME "))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const directory = join(root, 'project')
const backups = join(root, 'backups')
const staging = join(root, 'staging/memories')
const name = 'memories_20261124T031500Z.tar.gz'

beforeEach(() => {
  rmSync(directory, { recursive: true, force: true })
  rmSync(backups, { recursive: true, force: true })
  mkdirSync(join(directory, 'notes/logs'), { recursive: true })
  mkdirSync(backups)
  writeFileSync(join(directory, 'notes/logs/erste $(true) Nacht.md'), 'alles grün\n')
})

const sh = (script: string) => spawnSync('sh', ['-c', script], { encoding: 'utf8' })
const archive = () => sh(archiveDirectory({ directory, path: 'notes', backups, name, staging }))
const restore = () => sh(restoreArchive({ directory, backups, name, to: 'notes.then' }))

test('a directory comes back beside itself, and what was written since stays where it is', () => {
  expect(archive().status).toBe(0)
  writeFileSync(join(directory, 'notes/logs/later.md'), 'later')
  expect(restore()).toMatchObject({ status: 0, stderr: '' })
  expect(readFileSync(join(directory, 'notes.then/notes/logs/erste $(true) Nacht.md'), 'utf8')).toBe('alles grün\n')
  expect(existsSync(join(directory, 'notes.then/notes/logs/later.md'))).toBe(false)
  expect(readdirSync(join(directory, 'notes/logs'))).toContain('later.md')
  expect([readdirSync(backups), existsSync(staging)]).toEqual([[name], false])
})

test('an archive that is there is whole, and is not made again; neither is what was restored', () => {
  archive()
  restore()
  const before = readFileSync(join(backups, name))
  writeFileSync(join(directory, 'notes/logs/later.md'), 'later')
  writeFileSync(join(directory, 'notes.then/mine'), 'mine')
  expect([archive().status, restore().status]).toEqual([0, 0])
  expect(readFileSync(join(backups, name))).toEqual(before)
  expect(readFileSync(join(directory, 'notes.then/mine'), 'utf8')).toBe('mine')
})

test('what is no directory is named', () => {
  rmSync(join(directory, 'notes'), { recursive: true })
  expect(archive()).toMatchObject({ status: 1, stderr: 'stepback: "notes" is no directory\n' })
  expect(readdirSync(backups)).toEqual([])
})

test('an archive that is cut, or that leads out of itself, brings nothing in', () => {
  archive()
  const whole = readFileSync(join(backups, name))
  writeFileSync(join(backups, name), whole.subarray(0, whole.length - 30))
  expect(restore()).toMatchObject({ status: 1 })
  execFileSync('tar', ['-P', '-czf', join(backups, name), 'notes/../../outside'], {
    cwd: (writeFileSync(join(root, 'outside'), 'x'), directory),
  })
  expect(restore().stderr).toContain('holds paths that lead out of it')
  expect(readdirSync(directory)).toEqual(['notes'])
})

test('removing takes what is named, however often', () => {
  archive()
  writeFileSync(join(backups, 'memories_mine.tar.gz'), '')
  const remove = removeArchives(backups, [name])
  expect([sh(remove).status, sh(remove).status, readdirSync(backups)]).toEqual([0, 0, ['memories_mine.tar.gz']])
})
