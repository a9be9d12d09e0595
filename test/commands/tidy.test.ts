import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tidyUp } from '../../src/commands/tidy.js'

let host: string
let staging: string
beforeEach(() => {
  host = mkdtempSync(join(tmpdir(), "stepback it's $HOME "))
  staging = join(host, '3fa94c21')
  mkdirSync(join(staging, 'release'), { recursive: true })
  writeFileSync(join(staging, 'release', 'VERSION'), '2.1.0\n')
})
afterEach(() => rmSync(host, { recursive: true, force: true }))

test('what was staged goes, and the log gets one line with its time', () => {
  const log = { file: join(host, 'deploy.log'), line: "deploy-it's-$HOME deploy 2.1.0: done" }
  execFileSync('sh', ['-c', tidyUp({ staging, log })])
  expect(existsSync(staging)).toBe(false)
  const [line, ...rest] = readFileSync(log.file, 'utf8').split('\n')
  expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ deploy-it's-\$HOME deploy 2\.1\.0: done$/)
  expect(rest).toEqual([''])
})

test('a log that cannot be written to keeps nothing staged there', () => {
  const log = { file: join(host, 'missing', 'deploy.log'), line: 'done' }
  expect(() => execFileSync('sh', ['-c', tidyUp({ staging, log })], { stdio: 'pipe' })).toThrow()
  expect(existsSync(staging)).toBe(false)
})
