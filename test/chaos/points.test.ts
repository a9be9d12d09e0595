import { describe, expect, test } from 'vitest'
import { type Point, hasCome, isUnderWay } from '../../chaos/points.js'
import type { LedgerEntry } from '../../src/plan/ledger.js'

const run = { workflowId: 'deploy', runId: 'r' }
const plan = {
  kind: 'plan',
  run,
  plan: {
    steps: ['takeRestorePoint', 'proveRestorePoint', 'putFiles'].map((name) => ({
      act: { name },
      ...(name === 'proveRestorePoint' ? { background: true } : {}),
    })),
  },
} as unknown as LedgerEntry

const start = (act: string, undo = false): LedgerEntry => ({ kind: 'start', run, step: 0, act, undo })
const end = (act: string): LedgerEntry => ({ kind: 'end', run, step: 0, act, undo: false, outcome: 'done' })
const at = (when: 'before' | 'during' | 'after' | 'undoing', step: string): Point => ({ when, step, lateMs: 0 })

describe('a point', () => {
  test('before the first step comes with the plan', () => {
    expect(hasCome(at('before', 'takeRestorePoint'), [])).toBe(false)
    expect(hasCome(at('before', 'takeRestorePoint'), [plan])).toBe(true)
  })

  test('before a later step comes with the end of the one before it, whatever goes on beside', () => {
    const begun = [plan, start('takeRestorePoint')]
    expect(hasCome(at('before', 'putFiles'), begun)).toBe(false)
    expect(hasCome(at('before', 'putFiles'), [...begun, end('takeRestorePoint'), start('proveRestorePoint')])).toBe(
      true,
    )
  })

  test('before a step that the plan does not have never comes', () => {
    expect(hasCome(at('before', 'swapDatabase'), [plan, end('putFiles')])).toBe(false)
  })

  test('during a step comes with its start, and behind it with its end', () => {
    const begun = [plan, start('putFiles')]
    expect(hasCome(at('during', 'putFiles'), begun)).toBe(true)
    expect(hasCome(at('after', 'putFiles'), begun)).toBe(false)
    expect(hasCome(at('after', 'putFiles'), [...begun, end('putFiles')])).toBe(true)
  })

  test('of an undo comes with the undo, not with the step of the same act', () => {
    expect(hasCome(at('undoing', 'putFiles'), [plan, start('putFiles')])).toBe(false)
    expect(hasCome(at('undoing', 'putFiles'), [plan, start('putFiles', true)])).toBe(true)
    expect(hasCome(at('during', 'putFiles'), [plan, start('putFiles', true)])).toBe(false)
  })

  test('is under way from its start to its end, and again where the act is begun again', () => {
    const during = at('during', 'putFiles')
    expect(isUnderWay(during, [plan, start('takeRestorePoint')])).toBe(false)
    expect(isUnderWay(during, [plan, start('putFiles')])).toBe(true)
    // Begun twice by two holders of the lease, it is over with one end.
    const over = [plan, start('putFiles'), start('putFiles'), end('putFiles')]
    expect(isUnderWay(during, over)).toBe(false)
    expect(isUnderWay(during, [...over, start('putFiles', true)])).toBe(false)
    expect(isUnderWay(at('undoing', 'putFiles'), [...over, start('putFiles', true)])).toBe(true)
  })

  test('that is a time is there from the start', () => {
    expect(hasCome({ when: 'later', lateMs: 10 }, [])).toBe(true)
  })
})
