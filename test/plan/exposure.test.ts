import { expect, test } from 'vitest'
import { countedSince } from '../../src/plan/exposure.js'
import { manifest, records, rollbackPlan } from '../support/plans.js'

const point = manifest({ id: '20261123T120000Z-2.0.0' })
const kept = (id: string, oid: number) =>
  manifest({ id, migrations: null, state: 'kept', kept: { name: `shop__before_${oid}`, oid } })
const first = kept('20261123T130000Z-2.1.0', 16001)
const undone = kept('20261123T140000Z-2.0.0', 16002)
const manifests = [point, first, undone]
const back = (safety: string, restorePoint: string, runId: string) =>
  ({ kind: 'plan', run: { workflowId: runId, runId }, plan: { ...rollbackPlan(), safety, restorePoint } }) as const
const facts = { manifests, records: records(back(first.id, point.id, 'a'), back(undone.id, first.id, 'b')) }

test('a restore point with figures is counted from itself, a kept database from the one that it made way for', () => {
  expect(countedSince(facts, point)).toBe(point)
  expect(countedSince(facts, first)).toBe(point)
})

test('the database that an undo replaced is counted from where the rollback had gone to', () => {
  expect(countedSince(facts, undone)).toBe(point)
})

test('nothing can be counted where that is not there any more', () => {
  expect(countedSince({ ...facts, manifests: [first, undone] }, undone)).toBeUndefined()
})
