import { describe, expect, test } from 'vitest'
import {
  type CarriedTable,
  type CarryableTable,
  carriedInWords,
  chosenTables,
  describeCarry,
  lossBehind,
  withLosses,
} from '../../src/plan/carry.js'
import { type LedgerEntry, debts, lastRehearsal } from '../../src/plan/ledger.js'
import { type Plan, planNotes, rehearsalOf } from '../../src/plan/plan.js'
import { planRevert, planRollback } from '../../src/plan/rollback.js'
import {
  afterDeploy,
  before210,
  candidate,
  carried,
  database,
  deployPlan,
  exposure,
  m1,
  m3,
  manifest,
  records,
  rollbackRequest,
  standing,
  warm,
} from '../support/plans.js'

const refused = (message: string) =>
  expect.objectContaining({ type: 'Refused', message: expect.stringContaining(message) })
const table = (name: string, key = true, root = name): CarryableTable => ({ table: name, root, key })
const exposed = (name: string, figures: object) => ({
  table: name,
  inserted: 0,
  updated: 0,
  deleted: 0,
  newest: null,
  method: 'exact',
  ...figures,
})

describe('the tables that are carried', () => {
  const tables = [table('orders'), table('events_1', true, 'events'), table('log', false), table('migrations')]
  const names = (...asked: Parameters<typeof chosenTables>) => chosenTables(...asked).map((it) => it.table)

  test('are all with rows of their own, but for the record of migrations, or those that are named', () => {
    expect(names('all', tables, { tables: [] })).toEqual(['orders', 'events_1', 'log'])
    expect(names(['public.orders', 'events', 'orders'], tables, null)).toEqual(['orders', 'events_1'])
  })

  test('are there, and it is known which of their rows were inserted', () => {
    expect(() => names(['orders', 'nope'], tables, null)).toThrow(refused('has no table "nope"'))
    expect(() => names(['log'], tables, null)).toThrow(refused('"log" has no primary key'))
    const log = (figures: object) => ({ tables: [exposed('log', { inserted: 3, ...figures })] })
    expect(names(['log'], tables, log({}))).toEqual(['log'])
    for (const figures of [{ updated: 1 }, { deleted: 1 }, { method: 'counters' }])
      expect(() => names('all', tables, log(figures))).toThrow(
        refused('which rows were inserted since cannot be known'),
      )
  })
})

test('what is lost behind a carry is what did not come along, was changed or was removed', () => {
  const tables = [
    exposed('orders', { inserted: 10, updated: 2 }),
    exposed('users', { inserted: 5 }),
    exposed('log', { inserted: 4 }),
    exposed('orders', { column: 'note', deleted: 7 }),
  ]
  const left = lossBehind({ total: 21, tables }, [
    carried('orders', { carried: 9, lost: 1 }),
    carried('users', { carried: 5 }),
  ])
  expect(left).toEqual({
    total: 7,
    tables: [exposed('orders', { inserted: 1, updated: 2 }), tables[2], tables[3]],
  })
})

test('rows that nobody saw come along are lost, too', () => {
  const some = [carried('orders', { carried: 4, lost: 1 }), carried('users', { carried: 2 })]
  const seen = { total: 9, tables: [exposed('orders', { inserted: 7 }), exposed('users', { inserted: 2 })] }
  expect(withLosses(some, seen).map((it) => it.lost)).toEqual([3, 0])
})

test('a carry is told table by table, with the reasons and without a word of a row', () => {
  const tables = [
    carried('notes', { carried: 2, without: { columns: ['engine'], rows: 1 } }),
    carried('users', {
      method: 'key',
      conflicting: 1,
      notFitting: 2,
      reasons: [{ why: 'have no parent (fk)', rows: 2 }],
    }),
  ]
  const lines = [
    'notes: 2 carried, 0 conflicting, 0 not fitting (exact): 1 without engine',
    'users: 0 carried, 1 conflicting, 2 not fitting (by key): 2 have no parent (fk)',
  ]
  expect(carriedInWords(tables)).toBe(lines.join(' | '))
  expect(carriedInWords([])).toBe('no rows were inserted since')
  expect(describeCarry({ tables: 'all', rehearsed: null })).toEqual(['carry forward all tables: not rehearsed'])
  expect(describeCarry({ tables: ['notes', 'users'], rehearsed: { at: '', tables }, ageMs: 65_000 })).toEqual([
    'carry forward notes, users: rehearsed 1 min 5 s ago',
    ...lines.map((line) => `carry forward ${line}`),
  ])
})

const request = rollbackRequest({ carryForward: ['orders'] })
const carryable = [table('orders')]
const run = { workflowId: 'rollback-shop', runId: 'rehearsing' }
const rehearsal = (tables: readonly CarriedTable[]): LedgerEntry => ({
  kind: 'rehearsed',
  run,
  restorePoint: before210,
  tables: ['orders'],
  carried: tables,
})

/** Over an irreversible migration, so that the database is exchanged. */
function planned(entries: readonly LedgerEntry[] = [], changes: object = {}, asked = request): Omit<Plan, 'digest'> {
  const seen = afterDeploy({ database: database({ applied: [m1.name, m3.name], copies: [standing] }) })
  const earlier = seen.records.map((it) => it.entry)
  const found = candidate({ exposure: exposure(12), carryable, ...changes })
  return planRollback(asked, { ...seen, records: records(...earlier, ...entries) }, found, 'because')
}

const titles = (steps: Plan['steps'] = []) => steps.map(({ act }) => act.title)
const act = (plan: Omit<Plan, 'digest'>, name: string) => plan.steps.find((it) => it.act.name === name)?.act

describe('the plan of a rollback that carries rows forward', () => {
  test('builds the database, carries behind the stop, and exchanges what it carried into', () => {
    const plan = planned()
    expect(plan.steps.map((it) => it.act.name)).toEqual(
      expect.arrayContaining(['restoreDatabase', 'stopServices', 'restoreFiles', 'carryForward', 'swapDatabase']),
    )
    const names = plan.steps.map((it) => it.act.name)
    expect(names.indexOf('carryForward')).toBe(names.indexOf('swapDatabase') - 1)
    expect(act(plan, 'carryForward')).toMatchObject({ args: { from: before210, tables: ['orders'] } })
    expect(act(plan, 'swapDatabase')!.args).toEqual({ from: before210, mayLoseRows: null, carries: ['orders'] })
    expect(titles(plan.rehearsal)).toEqual([
      `build the database of ${before210} beside the live one`,
      'rehearse carrying new rows of orders forward',
      'drop the database of the rehearsal',
    ])
    expect(planNotes(plan as Plan)).toEqual(['carry forward orders: not rehearsed'])
    expect(plan.approval).toMatchObject({ required: true, why: '12 rows would be lost' })
  })

  test('writes into a copy of the warm copy, never into that itself', () => {
    const copyOf = { name: warm.name, oid: warm.oid }
    const plan = planned([], { manifest: manifest({ warm, state: 'warm' }) })
    expect(plan.strategy).toBe('swap')
    expect(act(plan, 'restoreDatabase')!.args).toEqual({ from: before210, copyOf })
    expect(act(plan, 'swapDatabase')!.args).toEqual({ from: before210, mayLoseRows: null, carries: ['orders'] })
    expect(plan.rehearsal![0]!.act.args).toEqual({ from: before210, copyOf })
    const without = planned([], { manifest: manifest({ warm, state: 'warm' }) }, rollbackRequest())
    expect(act(without, 'restoreDatabase')).toBeUndefined()
    expect(act(without, 'swapDatabase')!.args).toMatchObject({ ready: copyOf })
  })

  test('shows the last rehearsal of the same rows with its age, and asks about what that could not carry', () => {
    const some = [carried('orders', { carried: 9, notFitting: 3, lost: 3 })]
    const plan = planned([rehearsal(some)])
    expect(plan.carry).toMatchObject({ rehearsed: { tables: some }, ageMs: expect.any(Number) })
    expect(planNotes(plan as Plan)[1]).toBe('carry forward orders: 9 carried, 0 conflicting, 3 not fitting (exact)')
    expect(plan.approval).toMatchObject({ required: true, why: '3 rows would be lost' })
    expect(plan.strategies!.find((it) => it.verdict === 'chosen')!.exposure!.total).toBe(3)
    const all = planned([rehearsal([carried('orders', { carried: 12 })])])
    expect(all).toMatchObject({ exposure: { total: 0 }, approval: { required: false } })
    expect(planned([rehearsal(some)]).steps).toEqual(planned().steps)
  })

  test('believes no rehearsal of other rows, of another restore point, or before another run', () => {
    const [shown] = [rehearsal([carried('orders', { carried: 12 })])]
    const since = { kind: 'plan', run: { workflowId: 'deploy-shop-2', runId: 'later' }, plan: deployPlan() } as const
    const own = { kind: 'plan', run, plan: deployPlan() } as const
    const asked = { restorePoint: before210, tables: ['orders'] }
    expect(lastRehearsal(records(shown!, own), asked)?.tables).toEqual([carried('orders', { carried: 12 })])
    expect(lastRehearsal(records(shown!, since), asked)).toBeUndefined()
    expect(lastRehearsal(records(shown!), { ...asked, tables: 'all' })).toBeUndefined()
    expect(lastRehearsal(records(shown!), { ...asked, restorePoint: 'other' })).toBeUndefined()
  })

  test('carries nothing where rows stay, and says so', () => {
    const plan = planRollback(request, afterDeploy(), candidate({ carryable }), 'because')
    expect(plan.strategy).toBe('migrate')
    expect(plan.because).toContain('rows stay where they are')
    expect([plan.carry, plan.rehearsal, act(plan, 'carryForward')]).toEqual([undefined, undefined, undefined])
    const revert = planRevert({ ...request, scope: 'database' }, afterDeploy(), 'm001', exposure(0))
    expect(revert.because).toContain('rows stay where they are')
  })

  test('is refused for a table that is not there, also where rows stay', () => {
    const stay = () => planRollback(request, afterDeploy(), candidate({ carryable: [table('users')] }), 'because')
    expect(stay).toThrow(refused('has no table "orders"'))
    expect(() => planned([], { carryable: [] })).toThrow(refused('has no table "orders"'))
  })
})

test('what was left of a rehearsal is undone as a plan of its own, and is no part of the plan behind it', () => {
  const plan = { ...planned(), digest: 'sha256:1' }
  const tried = rehearsalOf(plan)
  expect(tried).toMatchObject({ kind: 'rehearsal', steps: plan.rehearsal })
  const start = { kind: 'start', run, step: 0, act: 'restoreDatabase', undo: false } as const
  const self = { workflowId: 'other', runId: 'other' }
  const dead = records({ kind: 'plan', run, plan: tried }, start)
  expect(debts(dead, self)).toEqual([{ run, plan: tried, started: [0] }])
  const ended: LedgerEntry = { kind: 'finished', run, outcome: 'rehearsed' }
  const whole = records({ kind: 'plan', run, plan: tried }, start, ended, { kind: 'plan', run, plan })
  expect(debts(whole, self)).toEqual([{ run, plan, started: [] }])
})
