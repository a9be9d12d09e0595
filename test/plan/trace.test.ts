import { expect, test } from 'vitest'
import { spansOf } from '../../src/plan/trace.js'
import { type Progress, newProgress, pending } from '../../src/plan/progress.js'

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 23, 14) + seconds * 1_000).toISOString()
const ended: Progress = {
  ...newProgress({ kind: 'rollback', target: 'shop', at: at(0) }),
  phase: 'undone',
  finishedAt: at(60),
  gates: [{ asks: 'approve', why: '412 rows', openedAt: at(1), closedAt: at(30) }],
  steps: [
    { ...pending('putFiles', 'put 2 files'), state: 'done', attempts: 1, startedAt: at(31), finishedAt: at(40) },
    {
      ...pending('migrateUp', 'migrate'),
      state: 'failed',
      attempts: 2,
      detail: 'twice',
      startedAt: at(40),
      finishedAt: at(50),
    },
    pending('checkHealth', 'look'),
  ],
}

test('a run is a trace of itself, its gates and the steps that began, in their order', () => {
  expect(spansOf(ended).map(({ name, startedAt, endedAt, failed }) => [name, startedAt, endedAt, failed])).toEqual([
    ['rollback of shop', at(0), at(60), 'undone'],
    ['waits to approve', at(1), at(30), null],
    ['put 2 files', at(31), at(40), null],
    ['migrate', at(40), at(50), 'twice'],
  ])
})

test('a run that has not ended is none', () => {
  expect(spansOf({ ...ended, finishedAt: null })).toEqual([])
})
