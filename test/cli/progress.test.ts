import { expect, test } from 'vitest'
import { renderChanges } from '../../src/cli/view/changes.js'
import type { StrategyVerdict } from '../../src/plan/plan.js'
import { renderProgress } from '../../src/cli/view/progress.js'
import { at, lossGate, plain, progress, step } from './support.js'

const seen = { run: 'rollback-aria-1', nowMs: Date.parse(at(12)), colours: plain }

test('a run is a list of steps with marks, durations, attempts and details', () => {
  const steps = [
    step({ title: 'stop aria-brain', state: 'done', attempts: 1, startedAt: at(1), finishedAt: at(2.2) }),
    step({ title: 'swap the database', state: 'running', attempts: 2, startedAt: at(9), detail: 'closing' }),
    step({ title: 'start aria-brain' }),
  ]
  expect(renderProgress(progress({ steps }), seen).split('\n')).toEqual([
    'rollback of aria (full) to 20261123T140211Z-2.0.0 · running',
    '  swap: a warm copy is kept',
    '  digest sha256:3fa94c2100000000',
    '  ✔ stop aria-brain  1.2 s',
    '  ▶ swap the database  3.0 s, attempt 2, closing',
    '  · start aria-brain',
  ])
})

test('a gate says what would be lost, until when it waits, and what to type', () => {
  expect(renderProgress(progress(lossGate), seen).split('\n').slice(3)).toEqual([
    '  ⏸ 412 rows would be lost, until 2026-11-23T15:02:00.000Z',
    '    412 rows would be lost',
    '      table     inserted  updated  deleted  newest                    method',
    '      messages       400        9        0  2026-11-23T14:01:00.000Z  exact',
    '      jobs             0        3        0                            counters',
    '    stepback approve rollback-aria-1 --by YOU --digest 3fa94c21',
    '    stepback reject rollback-aria-1 --by YOU',
  ])
})

test('a gate shows how every strategy stands', () => {
  const { plan } = progress()
  const exposure = { total: 3, tables: [] }
  const strategies: StrategyVerdict[] = [
    { strategy: 'migrate', verdict: 'impossible', reason: 'its down throws', estimateMs: null, exposure: null },
    { strategy: 'swap', verdict: 'chosen', reason: 'a warm copy is kept', estimateMs: 0, exposure },
    { strategy: 'restore', verdict: 'possible', reason: 'there is a dump', estimateMs: 34_000, exposure: null },
  ]
  const shown = renderProgress(progress({ ...lossGate, plan: { ...plan!, strategies } }), seen)
  expect(shown).toContain(
    [
      '    migrate  impossible  its down throws',
      '    swap     chosen      a warm copy is kept  under 1 s     loses 3 rows',
      '    restore  possible    there is a dump      about 34.0 s  loses what nobody counted',
    ].join('\n'),
  )
})

test('a step that keeps failing asks to be resolved', () => {
  const gate = { asks: 'resolve', why: 'start: no answer', until: '' } as const
  const lines = renderProgress(progress({ phase: 'waiting-for-operator', gate }), seen).split('\n')
  expect(lines.slice(3)).toEqual([
    '  ⏸ start: no answer',
    '    stepback resolve rollback-aria-1 --by YOU --action retry|skip|abort',
  ])
})

test('what a host printed cannot move the cursor', () => {
  const steps = [step({ title: 'start', state: 'failed', attempts: 1, detail: '\u001b[2Jgone' })]
  expect(renderProgress(progress({ steps }), seen)).toContain('✘ start  \\x1b[2Jgone')
})

test('a clock that is behind shows no negative time', () => {
  const steps = [step({ title: 'start', state: 'running', attempts: 1, startedAt: at(20) })]
  expect(renderProgress(progress({ steps }), seen)).toContain('▶ start  0 ms')
})

test('without a terminal each change is one line', () => {
  const running = progress({ steps: [step({ title: 'stop aria-brain', state: 'running', startedAt: at(1) })] })
  const done = progress({
    steps: [step({ title: 'stop aria-brain', state: 'done', attempts: 1, startedAt: at(1), finishedAt: at(2.2) })],
  })
  expect(renderChanges(running, done, seen)).toEqual(['stop aria-brain... done in 1.2 s'])
  expect(renderChanges(done, done, seen)).toEqual([])
})

test('without a terminal a plan is said once, when it is made', () => {
  const first = progress({ phase: 'planning', plan: null, scope: null })
  expect(renderChanges(undefined, first, seen)).toEqual(['planning'])
  expect(renderChanges(first, progress(), seen)).toEqual([
    'rollback of aria (full) to 20261123T140211Z-2.0.0',
    '  swap: a warm copy is kept',
    '  digest sha256:3fa94c2100000000',
    'running',
  ])
})

test('without a terminal every answer is one line, with the reason where it did not count', () => {
  const refused = {
    at: at(1),
    kind: 'approve',
    by: 'eve',
    comment: null,
    refused: 'by: "eve" may not approve',
  } as const
  const taken = { at: at(2), kind: 'approve', by: 'ann', comment: 'go\u001b[2J', refused: null } as const
  expect(renderChanges(progress(), progress({ answers: [refused, taken] }), seen)).toEqual([
    'approve by eve refused: by: "eve" may not approve',
    'approve by ann: go\\x1b[2J',
  ])
  expect(
    renderProgress(progress({ answers: [refused, taken] }), seen)
      .split('\n')
      .at(-1),
  ).toBe('  refused: approve by eve: by: "eve" may not approve')
})

test('without a terminal a failed step says after how long, at which attempt, and why', () => {
  const failed = step({
    title: 'start',
    state: 'failed',
    attempts: 2,
    startedAt: at(1),
    finishedAt: at(4),
    detail: 'no',
  })
  expect(renderChanges(progress({ steps: [step({ title: 'start' })] }), progress({ steps: [failed] }), seen)).toEqual([
    'start... failed after 3.0 s (attempt 2): no',
  ])
})
