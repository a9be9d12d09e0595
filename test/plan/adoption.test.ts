import { describe, expect, test } from 'vitest'
import { chooseBaseline, ensureSameSchema, planAdoption, schemaDifferences } from '../../src/plan/adoption.js'
import { appliedTimes, debts } from '../../src/plan/ledger.js'
import { planDeploy } from '../../src/plan/deploy.js'
import { deployRequest, facts, m1, m2, m3, records, release } from '../support/plans.js'

const choose = (changes: Partial<Parameters<typeof chooseBaseline>[0]>) =>
  chooseBaseline({
    target: 'shop',
    known: [m1, m2, m3],
    applied: [],
    alembic: null,
    alembicNames: {},
    asked: null,
    inReleases: false,
    ...changes,
  })

describe('the revision that a database is said to have', () => {
  test('is the named one, by a unique beginning too, with all before it', () => {
    expect(choose({ asked: 'm002' })).toEqual({ revision: m2.revision, migrations: [m1.name, m2.name], already: false })
  })

  test('is the one of Alembic where none is named, by its own name or a configured one', () => {
    expect(choose({ alembic: m2.revision }).revision).toBe(m2.revision)
    expect(choose({ alembic: '9f3c', alembicNames: { '9f3c': 'm001' } }).revision).toBe(m1.revision)
  })

  test('was recorded already where the records say exactly that', () => {
    expect(choose({ asked: 'm002', applied: [m1.name, m2.name] }).already).toBe(true)
  })

  test.each([
    ['is unknown', {}, /there is no alembic_version/],
    ['is none of ours to Alembic', { alembic: '9f3c' }, /"9f3c", which is none of ours/],
    [
      'is another one to Alembic',
      { alembic: m1.revision, asked: 'm002' },
      /which is m001_start, and m002_orders was named/,
    ],
    ['is behind the records', { asked: 'm001', applied: [m1.name, m2.name] }, /records of other migrations/],
    ['is ahead of the records', { asked: 'm002', applied: [m1.name] }, /records of other migrations/],
    ['cannot be, without migrations', { asked: 'm002', known: [] }, /no migrations are known/],
    [
      'cannot be, with migrations of releases alone',
      { asked: 'm002', known: [], inReleases: true },
      /come with its releases[^]*stepback migrations shop --baseline m002 --release <directory>/,
    ],
  ])('is refused where it %s', (_what, changes, message) => {
    const refused = expect.objectContaining({ type: 'Refused', message: expect.stringMatching(message) })
    expect(() => choose(changes)).toThrow(refused)
  })
})

test('schemas that differ are refused with the lines that do', () => {
  const differences = schemaDifferences({ expected: ['a', 'b'], found: ['b', 'c'] })
  expect(() => ensureSameSchema('shop', 'm001', differences)).toThrow(/is missing: a\n {2}is extra: c/)
  expect(() => ensureSameSchema('shop', 'm001', schemaDifferences({ expected: ['a'], found: ['a'] }))).not.toThrow()
})

describe('an adoption in the ledger', () => {
  const run = { workflowId: 'adopt-shop', runId: 'a' }
  const baseline = choose({ asked: 'm001' })
  const plan = { kind: 'plan', run, plan: planAdoption({ target: 'shop', baseline, head: null }) } as const
  const start = { kind: 'start', run, step: 0, act: 'adoptMigrations', undo: false } as const

  test('that was cut off is a debt whose undo drops the database that it compared with', () => {
    const [debt] = debts(records(plan, start), { workflowId: 'other', runId: 'b' })
    expect(debt!.started.flatMap((index) => debt!.plan.steps[index]!.undo.map((it) => it.name))).toEqual([
      'dropNewDatabase',
    ])
    expect(debt!.ask).toBeUndefined()
  })

  test('says when its migrations were recorded', () => {
    const all = records(plan, start, { ...start, kind: 'end', outcome: 'done' })
    expect(appliedTimes(all)).toEqual(new Map([[m1.name, all[2]!.at]]))
  })
})

describe('a database without records', () => {
  const finding = { check: 'migrations', ok: false, detail: 'no record', hint: 'stepback migrations shop --baseline' }

  test('takes no deploy that would migrate, and one that would not', () => {
    const seen = facts({ findings: [finding] })
    expect(() => planDeploy(deployRequest(), seen, release)).toThrow(/no record/)
    expect(() => planDeploy(deployRequest({ migrateTo: 'none' }), seen, release)).not.toThrow()
  })
})
