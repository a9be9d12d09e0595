import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { withMovedClock } from '../../chaos/clock.js'

const directory = mkdtempSync(`${tmpdir()}/stepback-chaos-clock-`)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('a process with a moved clock reads another time, and a time that is said stays as it is', () => {
  const env = { ...process.env, ...withMovedClock(directory, 86_400) }
  const script = 'console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime()]))'
  const [now, made, said] = JSON.parse(execFileSync(process.execPath, ['-e', script], { env }).toString()) as number[]
  for (const read of [now!, made!]) expect(Math.abs(read - Date.now() - 86_400_000)).toBeLessThan(3_600_000)
  expect(said).toBe(5)
})
