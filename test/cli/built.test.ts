// The program as it is built, by Node alone: what only the tests' own loader would take is found here.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

test('the built command line starts, and says what it can do', async () => {
  const { stdout, stderr, ended } = help()
  expect(await text(stderr)).toBe('')
  expect(await text(stdout)).toContain('Usage: stepback')
  expect(await ended).toEqual([0, null])
})

test('a reader that goes away is no failure', async () => {
  const { stdout, stderr, ended } = help()
  stdout.destroy()
  expect(await text(stderr)).toBe('')
  expect(await ended).toEqual([0, null])
})

function help() {
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  return { stdout: child.stdout, stderr: child.stderr, ended: once(child, 'close') }
}
