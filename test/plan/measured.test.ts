import { expect, test } from 'vitest'
import type { LedgerEntry } from '../../src/plan/ledger.js'
import { estimateMs, measured } from '../../src/plan/measured.js'
import { deployPlan, records, rollbackPlan } from '../support/plans.js'

const run = { workflowId: 'r', runId: 'r1' }

/** An act of a plan that was done, which the records of the support take a minute for. */
function done(plan: ReturnType<typeof rollbackPlan>, act: string): LedgerEntry[] {
  const step = plan.steps.findIndex((it) => it.act.name === act)
  const moment = { run, step, act, undo: false }
  return [
    { kind: 'plan', run, plan },
    { kind: 'start', ...moment },
    { kind: 'end', ...moment, outcome: 'done' },
  ]
}

test('an estimate is the sum of what the parts took when they were last done', () => {
  const plan = rollbackPlan()
  const both = records(...done(plan, 'restoreDatabase'), ...done(plan, 'swapDatabase').slice(1))
  expect(estimateMs('restore', measured(both))).toBe(120_000)
  expect(estimateMs('swap', measured(both))).toBe(60_000)
})

test('nothing is estimated that was never done, or is fenced, or failed', () => {
  const entries = done(rollbackPlan(), 'restoreDatabase')
  const failed = entries.map((it) => (it.kind === 'end' ? { ...it, outcome: 'failed' as const } : it))
  expect(estimateMs('restore', measured(records(...failed)))).toBeNull()
  expect(estimateMs('restore', measured(records(...entries).map((it) => ({ ...it, void: true }))))).toBeNull()
  expect(estimateMs('swap', measured(records(...entries)))).toBeNull()
})

test('a restore point without its database says nothing about one with it', () => {
  expect(measured(records(...done(rollbackPlan(), 'takeRestorePoint'))).size).toBe(0)
  expect(estimateMs('migrate', measured(records(...done(deployPlan(), 'takeRestorePoint'))))).toBe(60_000)
})
