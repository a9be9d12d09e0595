import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findProcess, isRunning, startIdentity, startProcess, stopProcess } from '../../sandbox/processes.js'

let directory: string
let log: string
// a length that no other process of this machine sleeps for by chance: it is found by its command line
const command = ['/bin/sleep', `1${process.pid}.25`]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stepback-'))
  log = join(directory, 'log')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('a started process is known until it is stopped', async () => {
  const started = await startProcess({ command, log })
  expect(await findProcess(started)).toEqual(started)
  await stopProcess(started)
  expect(await findProcess(started)).toBeUndefined()
})

test('a pid that belongs to another process by now is not taken for it', async () => {
  const started = (await startIdentity(process.pid))!
  expect(await isRunning({ pid: process.pid, started })).toBe(true)
  expect(await isRunning({ pid: process.pid, started: 'another time' })).toBe(false)
})

test('a process that was started again by its command is found', async () => {
  const first = await startProcess({ command, log })
  await stopProcess(first)
  const second = await startProcess({ command, log })
  expect((await findProcess(first))?.pid).toBe(second.pid)
  await stopProcess(second)
})

test('what a process prints lands in its log', async () => {
  const printing = await startProcess({ command: ['/bin/sh', '-c', 'echo größe'], log })
  while (await isRunning(printing)) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(readFileSync(log, 'utf8')).toBe('größe\n')
})
