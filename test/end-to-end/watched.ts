// What goes on by itself beside the runs that people start.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { breakIt, mend } from '../../sandbox/index.js'
import type { GuardView } from '../../src/plan/guard.js'
import type { Operator } from './operator.js'
import type { Typist } from './typist.js'

/** A schedule that is due archives the memories, and the archive comes back beside the live directory. */
export async function archivesOnTime(operator: Operator, typist: Typist): Promise<void> {
  expect(await operator.stepback('schedules')).toContain('to create: stepback-aria-memories')
  await typist.says('stepback schedules apply')
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

/** 2.1.1 begins to crash over and over behind its deploy: 2.1.0 serves again, and nobody was asked. */
export async function goesBackByItself(operator: Operator, typist: Typist, root: string): Promise<void> {
  await typist.says('stepback guard aria start')
  await guardIs(operator, ({ pause, verdict }) => pause === null && verdict === 'healthy')
  await breakIt({ root, kind: 'crash-loop', service: 'aria-api', version: '2.1.1' })
  try {
    const { acted } = await guardIs(operator, ({ acted }) => acted.some(({ outcome }) => outcome !== null))
    expect(acted).toMatchObject([{ asks: false, outcome: 'done', why: expect.stringMatching(/^checks: /) }])
    const { run } = acted[0]!
    expect(await operator.api('/api/status')).toMatchObject({ version: '2.1.0' })
    expect(await operator.api('/api/health')).toMatchObject({ status: 'ok' })
    const { result } = await operator.end(run)
    expect([result.answers ?? [], result.health.filter((it) => !it.healthy)]).toEqual([[], []])
    const [, said] = (await typist.says('stepback history aria')).split(run)
    expect(said).toMatch(/^.*done after [^]*?asked for by guard-aria; the guard: checks: /)
    // Well again, and it stays so: what it went back to is not gone back from.
    await guardIs(operator, ({ pause, verdict }) => pause === null && verdict === 'healthy')
    expect(await rollbacksOf(operator, 'rollback-aria-guard-')).toEqual([run])
  } finally {
    await mend({ root })
    await typist.says('stepback guard aria stop')
  }
}

async function guardIs(operator: Operator, wanted: (view: GuardView) => boolean): Promise<GuardView> {
  const ask = () => operator.ask<GuardView>('guard-aria', 'guard')
  return await operator.untilAnswers('the guard never came there', ask, wanted, 120_000)
}

async function rollbacksOf(operator: Operator, name: string): Promise<string[]> {
  const list = (await operator.temporal(
    'workflow',
    'list',
    '--query',
    'WorkflowType = "rollbackWorkflow"',
  )) as readonly {
    readonly execution: { readonly workflowId: string }
  }[]
  return list.map(({ execution }) => execution.workflowId).filter((run) => run.startsWith(name))
}
