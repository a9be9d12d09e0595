import { expect, test } from 'vitest'
import { renderEnding, renderLeft } from '../../src/cli/view/ending.js'
import { renderPlanInFull } from '../../src/cli/view/plan.js'
import type { Plan } from '../../src/client.js'
import type { RunResult } from '../../src/plan/progress.js'
import { lossGate, progress, step } from './support.js'

const result: RunResult = {
  ...progress({
    phase: 'done',
    plan: { ...progress().plan!, undo: 'stepback rollback aria --scope config --to 20261123T150000Z-2.1.0' },
    steps: [step({ name: 'takeRestorePoint', title: 'take a restore point', state: 'done' })],
  }),
  health: [{ check: 'api', healthy: true, detail: 'status 200' }],
  restorePoint: '20261123T150000Z-2.1.0',
  durationMs: 4_200,
}

test('a rollback that is done says how it is undone', () => {
  expect(renderEnding({ outcome: 'done', result }, 'r', false)).toEqual([
    'done in 4.2 s',
    'undo it: stepback rollback aria --scope config --to 20261123T150000Z-2.1.0',
  ])
})

test('where nothing had to be done there is nothing to undo', () => {
  expect(renderEnding({ outcome: 'done', result: { ...result, steps: [], already: true } }, 'r', false)).toEqual([
    'done: nothing had to be done',
    'next: stepback status aria',
  ])
})

test('a check that fails at the end is not passed over', () => {
  const sick = { ...result, health: [{ check: 'api', healthy: false, detail: 'status 500' }] }
  expect(renderEnding({ outcome: 'done', result: sick }, 'r', false)).toContain('not healthy: api: status 500')
})

test('a run that could not be undone says what is left', () => {
  const failed = {
    outcome: 'NotUndone',
    message: 'no space',
    result: { ...result, left: ['aria_blue__new_3fa94c21'] },
  } as const
  expect(renderEnding(failed, 'r', false)).toEqual([
    'failed and NOT undone: no space',
    '  left: aria_blue__new_3fa94c21',
    'next: stepback status aria; then stepback rollback aria',
  ])
})

test('a refusal keeps its hint', () => {
  const refused = { outcome: 'Refused', message: 'not fit\nhint: free some space.', result } as const
  expect(renderEnding(refused, 'r', false)).toEqual([
    'refused: not fit\nhint: free some space.',
    'next: stepback doctor aria',
  ])
})

test('a run that is left goes on', () => {
  expect(renderLeft(progress(lossGate), 'r')).toEqual([
    'left while waiting-for-approval; the run goes on',
    'next: stepback watch r',
  ])
})

test('a plan shows each step with its undo, and where undoing ends', () => {
  const plan = {
    digest: 'sha256:3fa9',
    kind: 'rollback',
    target: 'aria',
    scope: 'full',
    version: '2.0.0',
    strategy: 'swap',
    because: 'a warm copy is kept',
    restorePoint: '20261123T140211Z-2.0.0',
    approval: { required: true, dataLoss: true, why: '1 row would be lost' },
    exposure: { total: 0, tables: [] },
    steps: [
      { act: { title: 'stop api' }, undo: [{ title: 'start api' }], commit: false },
      { act: { title: 'swap' }, undo: [], commit: true },
    ],
  } as unknown as Plan
  expect(renderPlanInFull(plan).split('\n')).toEqual([
    'rollback of aria (full) to 20261123T140211Z-2.0.0, then 2.0.0 runs',
    'strategy  swap: a warm copy is kept',
    'approval  required: 1 row would be lost',
    'digest    sha256:3fa9',
    '',
    'no rows would be lost',
    '',
    ' 1. stop api',
    '      undo: start api',
    ' 2. swap',
    '      from here on nothing is undone by itself',
  ])
})

test('a run says where its note lies, or why there is none, however it ended', () => {
  const file = 'logs/incident_20261123T141530Z_rollback_3fa94c21.md'
  expect(renderEnding({ outcome: 'done', result: { ...result, note: { file } } }, 'r', false)).toContain(
    `noted in ${file}`,
  )
  const failed = {
    outcome: 'Rejected',
    message: 'x',
    result: { ...result, note: { problem: 'no space\u001b' } },
  } as const
  expect(renderEnding(failed, 'r', false)).toContain('could not be noted: no space\\x1b')
})
