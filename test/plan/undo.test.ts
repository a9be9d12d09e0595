import { describe, expect, test } from 'vitest'
import { type Plan } from '../../src/plan/plan.js'
import { type RunResult, newProgress, showPlan, undoLine } from '../../src/plan/progress.js'
import type { RollbackRequest } from '../../src/plan/request.js'
import { undoCommand, undoOfEnded } from '../../src/plan/undo.js'
import { deployPlan, rollbackPlan, rollbackRequest } from '../support/plans.js'

const to = '--to 20261123T140211Z-2.1.0'
const undoes = (request: Partial<RollbackRequest>) => {
  const { safety, undo } = rollbackPlan(rollbackRequest(request))
  return undoCommand('shop', safety, undo)
}

describe('what undoes a rollback', () => {
  test('goes back with the same part of the target, and no more', () => {
    expect(undoes({})).toBe(`stepback rollback shop ${to}`)
    expect(undoes({ scope: 'database' })).toBe(`stepback rollback shop --scope database ${to}`)
  })

  test('brings back the secrets that the rollback replaced', () => {
    expect(undoes({ secrets: 'restore' })).toBe(`stepback rollback shop --secrets restore ${to}`)
  })
})

test('a deploy is undone by all of the target going back', () => {
  const { safety, undo } = deployPlan()
  expect(undoCommand('shop', safety, undo)).toBe(`stepback rollback shop --to ${safety}`)
})

describe('a run says what undoes it', () => {
  const shown = (plan: Plan, changes: Partial<RunResult> = {}) => {
    const progress = newProgress({ kind: 'rollback', target: 'shop', at: '2026-11-23T14:00:00.000Z' })
    showPlan(progress, plan)
    const steps = progress.steps.map((it) => ({ ...it, state: 'done' as const }))
    return undoLine({ ...progress, phase: 'done', steps, ...changes })
  }

  test('once it is done, and took what undoes it', () => {
    const plan = rollbackPlan()
    expect(shown(plan)).toBe(`undo it: stepback rollback shop ${to}`)
    expect(shown(plan, { kind: 'backup' })).toBe(`go back to it: stepback rollback shop ${to}`)
    expect(shown(plan, { phase: 'undone' })).toBeNull()
    expect(shown(plan, { steps: [] })).toBeNull()
  })

  test('unless no one command does', () => {
    expect(shown({ ...rollbackPlan(), undo: null })).toBeNull()
  })
})

test.each([
  ['done', `stepback rollback shop --scope config ${to}`],
  ['not-undone', `stepback rollback shop --scope config ${to}`],
  ['undone', null],
  ['rejected', null],
] as const)('from a run of the past that is %s the way back is %s', (outcome, command) => {
  const ended = { outcome, restorePoint: to.slice('--to '.length) }
  expect(undoOfEnded('shop', ended, { scope: 'config' })).toBe(command)
})

test('a run that took no restore point has no way back', () => {
  expect(undoOfEnded('shop', { outcome: 'done', restorePoint: null }, { scope: 'full' })).toBeNull()
})
