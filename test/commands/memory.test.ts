// With this machine's own tools.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { hostMemory, parseServiceMemory, putEnvironmentBack, restart, setKey } from '../../src/commands/memory.js'

const root = mkdtempSync(join(tmpdir(), "stepback-memory it's "))
const sh = (script: string) => execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', stdio: 'pipe' })
afterAll(() => rmSync(root, { recursive: true }))

test('the memory of the host is what is available, and all of it', () => {
  const [available, total] = sh(hostMemory).trim().split(' ').map(Number)
  expect(available! > 0 && available! < total!).toBe(true)
})

test('the memory of a service is that of all its containers', () => {
  expect(parseServiceMemory('576.5MiB / 23.4GiB\n1.5GiB / 23.4GiB\n')).toBe((576.5 + 1536) * 1024 ** 2)
  expect(parseServiceMemory('12kB / 1GB\n')).toBe(12_000)
  expect(parseServiceMemory('')).toBeNull()
})

test('every container of a service is restarted', () => {
  expect(restart('shop', 'model', 5)[1]).toBe('docker restart --time 5 $ids')
})

describe('a key of the environment file', () => {
  const before = 'A="two\nlines"\nexport MODEL = large # why\nMODELS=other\n'
  const place = () => {
    const directory = mkdtempSync(join(root, 'project-'))
    mkdirSync(join(directory, 'state'))
    writeFileSync(join(directory, '.env'), before, { mode: 0o640 })
    return { directory, envFile: '.env', staging: join(directory, 'state/staging') }
  }
  const read = (at: ReturnType<typeof place>) => readFileSync(join(at.directory, '.env'), 'utf8')

  test('is set in its own line, whatever stands besides, and the file comes back as it was', () => {
    const at = place()
    expect(sh(setKey({ ...at, key: 'MODEL', value: 'qwen3:14b' }))).toBe('')
    expect(read(at)).toBe('A="two\nlines"\nMODEL=qwen3:14b\nMODELS=other\n')
    expect(statSync(join(at.directory, '.env')).mode & 0o777).toBe(0o640)
    expect(sh(setKey({ ...at, key: 'MODEL', value: 'qwen3:14b' }))).toBe('same\n')
    sh(putEnvironmentBack(at))
    expect(read(at)).toBe(before)
  })

  test('that was not there comes behind the others', () => {
    const at = place()
    sh(setKey({ ...at, key: 'NEW', value: 'x' }))
    expect(read(at)).toBe(`${before}NEW=x\n`)
  })

  test('that was never set leaves nothing to put back', () => {
    const at = place()
    sh(putEnvironmentBack(at))
    expect(read(at)).toBe(before)
  })
})
