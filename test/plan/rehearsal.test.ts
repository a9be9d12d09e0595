import { expect, test } from 'vitest'
import { type Sight, lossesBetween, withRehearsals } from '../../src/plan/rehearsal.js'
import {
  afterDeploy,
  candidate,
  database,
  deployPlan,
  deployRequest,
  facts,
  m1,
  m2,
  manifest,
  rollbackPlan,
  stack,
} from '../support/plans.js'

const proving = { ...stack, proof: { ...stack.proof, when: 'background' } as const }
const sight = (hash: string, values: Record<string, number>, schema = 'a'): Sight => ({
  lines: [`table 3 ${hash} "public" "orders"`, `table 2 ${hash} "public" "migrations"`, `schema ${schema}`],
  columns: [{ schema: 'public', table: 'orders', rows: 3, values }],
})

test('a migration that leaves all as it was loses nothing, whatever became of its own record', () => {
  const before = sight('1', { id: 3, note: 2 })
  const after = { ...before, lines: [before.lines[0]!, 'table 3 9 "public" "migrations"', before.lines[2]!] }
  expect(lossesBetween(before, after)).toEqual([])
})

test('values that are gone are told by column, and others by their table', () => {
  const before = sight('1', { id: 3, note: 2 })
  expect(lossesBetween(before, sight('2', { id: 3, note: 0 }))).toEqual(['loses column orders.note (2 values)'])
  expect(lossesBetween(before, sight('2', { id: 3 }))).toEqual(['loses column orders.note (2 values)'])
  expect(lossesBetween(before, sight('2', { id: 3, note: 2 }))).toEqual(['changes values of orders'])
  expect(lossesBetween(before, { ...before, lines: before.lines.slice(1), columns: [] })).toEqual([
    'loses table orders (3 rows)',
  ])
  expect(lossesBetween(before, sight('1', { id: 3, note: 2 }, 'b'))).toEqual(['leaves another schema behind'])
})

test('a deploy tries the migrations that it brings, up to the first one that is irreversible anyway', () => {
  const rehearsed = (to: string) => {
    const { steps } = deployPlan(deployRequest({ migrateTo: to }), facts({ stack: proving }))
    return steps.map(({ act }) => (act.name === 'proveRestorePoint' ? act.args.rehearse : undefined)).find((it) => it)
  }
  expect(rehearsed('m002')).toEqual([m2.name])
  expect(rehearsed('head')).toEqual([m2.name])
  expect(rehearsed('none')).toBeUndefined()
})

test('the newest verdict counts, and never makes a declared one reversible', () => {
  const known = (verdict: 'fails' | 'loses' | 'reversible', detail?: string) =>
    withRehearsals(
      [m2],
      [
        manifest({ id: '20261101T000000Z-1.9.0', rehearsed: [{ migration: m2.name, verdict: 'reversible' }] }),
        manifest({ rehearsed: [{ migration: m2.name, verdict, ...(detail ? { detail } : {}) }] }),
      ],
    )[0]
  expect(known('reversible')).toEqual(m2)
  expect(known('loses', 'loses column orders.note (2 values)')).toMatchObject({
    reversible: true,
    loses: expect.any(String),
  })
  expect(known('fails', 'syntax error')).toMatchObject({
    reversible: false,
    irreversible: 'its down failed on a copy: syntax error',
  })
})

test('a rollback over what lost values on a copy asks first, and shows what', () => {
  const seen = afterDeploy({
    database: database({
      applied: [m1.name, m2.name],
      known: [m1, { ...m2, loses: 'loses column orders.note (2 values)' }],
    }),
  })
  expect(rollbackPlan(undefined, seen, candidate()).approval).toMatchObject({
    required: true,
    why: 'going there and back loses what a copy lost: m002_orders loses column orders.note (2 values)',
  })
})
