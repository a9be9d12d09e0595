import { describe, expect, test } from 'vitest'
import {
  type LedgerEntry,
  broughtPaths,
  debts,
  releaseLine,
  restorePointId,
  restorePointTime,
} from '../../src/plan/ledger.js'
import { deployPlan, finished, records, rollbackPlan } from '../support/plans.js'

const deployed = (version: string, restorePoint: string, paths: string[] = []) =>
  finished({ kind: 'deploy', version, restorePoint, paths })
const rolledBack = (version: string, restorePoint: string) =>
  finished({ kind: 'rollback', version, restorePoint, paths: [] }, `back-to-${version}`)
const planned = (safety: string, runId = `run-of-${safety}`): LedgerEntry => ({
  kind: 'plan',
  run: { workflowId: 'w', runId },
  plan: { ...deployPlan(), safety },
})
const versions = (...entries: LedgerEntry[]) => releaseLine(records(...entries)).map((release) => release.version)
const self = { workflowId: 'self', runId: 'self' }

describe('the line of releases', () => {
  test('has the deploys that ended well, in order', () => {
    expect(versions(deployed('1', 'a'), deployed('2', 'b'))).toEqual(['1', '2'])
  })

  test('has no deploy that was undone', () => {
    expect(
      versions(
        deployed('1', 'a'),
        finished({ kind: 'deploy', version: '2', restorePoint: 'b', paths: [] }, 'r', 'undone'),
      ),
    ).toEqual(['1'])
  })

  test('goes back with a rollback to where its restore point was taken', () => {
    expect(
      versions(
        planned('a'),
        deployed('1', 'a'),
        planned('b'),
        deployed('2', 'b'),
        planned('c'),
        deployed('3', 'c'),
        rolledBack('1', 'b'),
      ),
    ).toEqual(['1'])
  })

  test('comes back with a rollback of that rollback', () => {
    const entries = [
      planned('a'),
      deployed('1', 'a'),
      planned('b'),
      deployed('2', 'b'),
      planned('safety'),
      rolledBack('1', 'b'),
      planned('x'),
      rolledBack('2', 'safety'),
    ]
    expect(versions(...entries)).toEqual(['1', '2'])
  })

  test('finds a restore point that no plan took by its time', () => {
    // The records are a minute apart, beginning at 10:00:30.
    expect(
      versions(deployed('1', 'a'), deployed('2', 'b'), deployed('3', 'c'), rolledBack('2', '20261123T100200Z-2')),
    ).toEqual(['1', '2'])
  })

  test('leaves out what a fenced run wrote behind a later token', () => {
    const entries = records(deployed('1', 'a'), deployed('2', 'b')).map((record, index) => ({
      ...record,
      void: index === 1,
    }))
    expect(releaseLine(entries).map((release) => release.version)).toEqual(['1'])
  })
})

test('paths that any release brought are known, each once', () => {
  expect(broughtPaths(records(deployed('1', 'a', ['x', 'y']), deployed('2', 'b', ['y', 'z'])))).toEqual(['x', 'y', 'z'])
})

test('the id of a restore point holds its time to the second', () => {
  expect(restorePointId({ at: '2026-11-23T14:02:11.987Z', version: '2.0.0-rc.1' })).toBe('20261123T140211Z-2.0.0-rc.1')
  expect(restorePointTime('20261123T140211Z-2.0.0-rc.1')).toBe('2026-11-23T14:02:11Z')
})

const committing = rollbackPlan().steps.find((step) => step.commit)!

describe('a debt', () => {
  const run = { workflowId: 'deploy-1', runId: 'dead' }
  const plan: LedgerEntry = { kind: 'plan', run, plan: deployPlan() }
  const start = (step: number, undo = false): LedgerEntry => ({ kind: 'start', run, step, act: 'x', undo })

  test('is a plan without an end, with the steps that had started, in the order of the plan', () => {
    expect(debts(records(plan, start(1), start(0), start(2, true), start(0)), self)).toEqual([
      { run, plan: deployPlan(), started: [0, 1] },
    ])
  })

  test('is none of a run that ended, however it ended', () => {
    const end: LedgerEntry = { kind: 'finished', run, outcome: 'not-undone' }
    expect(debts(records(plan, start(0), end), self)).toEqual([])
  })

  test('is none once it was closed', () => {
    expect(debts(records(plan, start(0), { kind: 'debt-closed', run, how: 'undone' }), self)).toEqual([])
  })

  test('is none below a run that settled all before it by its end', () => {
    const script = { workflowId: 'restore_1.sh', runId: 'script' }
    const entries: LedgerEntry[] = [plan, start(0), { kind: 'plan', run: script, plan: rollbackPlan() }]
    const end: LedgerEntry = { kind: 'finished', run: script, outcome: 'done', settles: true }
    expect(debts(records(...entries), self)).toHaveLength(2)
    expect(debts(records(...entries, end), self)).toEqual([])
  })

  test('is never the own run', () => {
    expect(debts(records(plan, start(0)), run)).toEqual([])
  })

  test('is one of the earlier self of a run that was reset: same workflow, other run', () => {
    expect(debts(records(plan, start(0)), { ...run, runId: 'after-reset' })).toHaveLength(1)
  })

  test('several come newest first', () => {
    const older: LedgerEntry = { kind: 'plan', run: { ...run, runId: 'older' }, plan: deployPlan() }
    expect(debts(records(older, plan), self).map((debt) => debt.run.runId)).toEqual(['dead', 'older'])
  })

  test('stays one where the end was written behind a later token', () => {
    const entries = records(plan, start(0), { kind: 'finished', run, outcome: 'done' }).map((it, index) => ({
      ...it,
      void: index === 2,
    }))
    expect(debts(entries, self)).toHaveLength(1)
  })

  test('of a rollback that reached its commit step is asked about', () => {
    const rollback: LedgerEntry = { kind: 'plan', run, plan: rollbackPlan() }
    const until = (step: number) => Array.from({ length: step + 1 }, (_, index) => start(index))
    const commit = rollbackPlan().steps.findIndex((it) => it.commit)
    expect(debts(records(rollback, ...until(commit - 1)), self)[0]!.ask).toBeUndefined()
    expect(debts(records(rollback, ...until(commit)), self)[0]!.ask).toBe(
      'a rollback that reached its commit step is not undone by itself',
    )
  })

  test('below one that is asked about is asked about once that one is kept', () => {
    const upper = { workflowId: 'restore_1.sh', runId: 'script' }
    const script: LedgerEntry = { kind: 'plan', run: upper, plan: { ...rollbackPlan(), steps: [committing] } }
    const begun: LedgerEntry = { kind: 'start', run: upper, step: 0, act: 'restoreFiles', undo: false }
    const found = debts(records(plan, start(0), script, begun), self)
    expect(found.map(({ run: { runId }, ask, askOnceKept }) => [runId, ask, askOnceKept])).toEqual([
      ['script', expect.stringContaining('commit step'), undefined],
      ['dead', undefined, 'what restore_1.sh did upon it was kept'],
    ])
  })

  test('of a deploy is never asked about, whatever it had started', () => {
    expect(
      debts(records(plan, ...Array.from({ length: 10 }, (_, index) => start(index))), self)[0]!.ask,
    ).toBeUndefined()
  })
})
