// What goes on by itself beside the runs that people start.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Operator } from './operator.js'

/** A schedule that is due archives the memories, and the archive comes back beside the live directory. */
export async function archivesOnTime(operator: Operator): Promise<void> {
  expect(await operator.stepback('schedules')).toContain('to create: stepback-aria-memories')
  await operator.stepback('schedules', 'apply')
  expect(await operator.stepback('schedules')).toContain('as the configuration says')
  await operator.temporal('schedule', 'trigger', '--schedule-id', 'stepback-aria-memories')
  const run = await operator.startedBy('stepback-aria-memories')
  expect(await operator.end(run)).toMatchObject({ outcome: 'done' })

  const { backups, directory } = operator.sandbox
  const [archive] = readdirSync(backups).filter((name) => name.startsWith('memories_'))
  const notes = (place: string) => join(directory, place, 'logs')
  writeFileSync(join(notes('aria_memories'), 'later.md'), 'written since\n')
  const live = readdirSync(notes('aria_memories'))
  await operator.stepback('memories', 'aria', 'restore', archive!)
  const restored = notes(`aria_memories.${archive!.replace(/\.tar\.gz$/, '')}/aria_memories`)
  const first = '2026-11-01-first-light.md'
  expect(readFileSync(join(restored, first))).toEqual(readFileSync(join(notes('aria_memories'), first)))
  expect(readdirSync(restored)).not.toContain('later.md')
  expect(readdirSync(notes('aria_memories'))).toEqual(live)
}
