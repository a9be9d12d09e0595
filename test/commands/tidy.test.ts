import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ForPeople, tidyUp } from '../../src/commands/tidy.js'

let directory: string
let staging: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stepback it's $HOME "))
  staging = join(directory, '3fa94c21')
  mkdirSync(join(staging, 'release'), { recursive: true })
  writeFileSync(join(staging, 'release', 'VERSION'), '2.1.0\n')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const at = (...path: string[]) => join(directory, ...path)
const log = { path: 'deploy.log', line: "2026-11-23T14:15:30Z deploy-it's-$HOME deploy 2.1.0: done" }
const note = { path: 'memories/logs/incident.md', text: '# It\'s $HOME\n\n"`x`" \\n\n' }

function tidy(people: Partial<ForPeople>) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', tidyUp({ staging, forPeople: { directory, ...people } })], {
    encoding: 'utf8',
  })
  return { status, stdout, said: stderr.split('\n').filter((line) => line.startsWith('stepback: ')) }
}

test('what was staged goes, the log gets its line, and the note is there as it was given', () => {
  expect(tidy({ log, note })).toEqual({ status: 0, stdout: 'noted\n', said: [] })
  expect(existsSync(staging)).toBe(false)
  expect(readFileSync(at('deploy.log'), 'utf8')).toBe(`${log.line}\n`)
  expect(readFileSync(at(note.path), 'utf8')).toBe(note.text)
  expect(statSync(at(note.path)).mode & 0o777).toBe(0o644)
  expect(readdirSync(at('memories/logs'))).toEqual(['incident.md'])
})

test('a second time nothing is written again, and what a person made of the note stays', () => {
  tidy({ log, note })
  writeFileSync(at(note.path), 'mended by hand')
  expect(tidy({ log, note })).toMatchObject({ status: 0, stdout: 'noted\n' })
  expect(readFileSync(at('deploy.log'), 'utf8')).toBe(`${log.line}\n`)
  expect(readFileSync(at(note.path), 'utf8')).toBe('mended by hand')
})

test('a line that is the end of another one is written all the same', () => {
  writeFileSync(at('deploy.log'), `before ${log.line}\n`)
  tidy({ log })
  expect(readFileSync(at('deploy.log'), 'utf8')).toBe(`before ${log.line}\n${log.line}\n`)
})

describe('what cannot be written is said, and keeps the rest from nothing', () => {
  test('a log in a directory that is not there', () => {
    const told = tidy({ log: { ...log, path: 'missing/deploy.log' }, note })
    expect(told).toMatchObject({ status: 1, stdout: 'noted\n' })
    expect(told.said).toEqual(['stepback: its directory is missing: missing/deploy.log'])
    expect(existsSync(staging)).toBe(false)
  })

  test('a note where a file is in the place of its directory', () => {
    writeFileSync(at('memories'), '')
    const told = tidy({ log, note })
    expect(told).toMatchObject({ status: 1, stdout: '' })
    expect(told.said).toEqual([`stepback: its directory cannot be entered: ${note.path}`])
    expect(readFileSync(at('deploy.log'), 'utf8')).toBe(`${log.line}\n`)
  })

  test('a full disk, of which nothing half-written is left', () => {
    mkdirSync(at('memories/logs'), { recursive: true })
    const small = `ulimit -f 1; ${tidyUp({ staging, forPeople: { directory, note: { ...note, text: 'x'.repeat(9_000) } } })}`
    const { status, stderr } = spawnSync('sh', ['-c', small], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain(`stepback: cannot be written: ${note.path}`)
    expect(readdirSync(at('memories/logs'))).toEqual([])
  })

  test('a project directory that is gone', () => {
    expect(tidy({ directory: at('gone'), log })).toMatchObject({
      status: 1,
      said: ['stepback: the project directory is missing'],
    })
  })
})

describe('a link is not followed', () => {
  beforeEach(() => mkdirSync(at('soul')))

  test('on the way to the note', () => {
    mkdirSync(at('memories'))
    symlinkSync(at('soul'), at('memories/logs'))
    const told = tidy({ note })
    expect(told).toMatchObject({ status: 1, stdout: '' })
    expect(told.said[0]).toBe('stepback: a directory on the way is a link: ./logs')
    expect(readdirSync(at('soul'))).toEqual([])
  })

  test('in the place of the note or of the log', () => {
    mkdirSync(at('memories/logs'), { recursive: true })
    symlinkSync(at('soul/new'), at(note.path))
    symlinkSync(at('soul/new'), at('deploy.log'))
    const told = tidy({ log, note })
    expect(told.status).toBe(1)
    expect(told.said).toEqual(['deploy.log', note.path].map((it) => `stepback: a link, which is not followed: ${it}`))
    expect(readdirSync(at('soul'))).toEqual([])
  })
})

test('what was staged and cannot go is said, and people are told all the same', () => {
  const { status } = spawnSync('sh', [
    '-c',
    `rm() { return 1; }\n${tidyUp({ staging, forPeople: { directory, log } })}`,
  ])
  expect(status).toBe(1)
  expect(readFileSync(at('deploy.log'), 'utf8')).toBe(`${log.line}\n`)
})
