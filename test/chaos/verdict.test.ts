// Each check of the verdict is shown to find what it is there for.

import { describe, expect, test } from 'vitest'
import type { Seen } from '../../chaos/seen.js'
import { type Ended, type Evidence, judge, mayLeave } from '../../chaos/verdict.js'
import { asBefore } from '../../chaos/wishes.js'

const before: Seen = {
  files: { VERSION: 'a 644', 'models.yaml': 'b 644' },
  soul: { 'VALUES.md': 'c 644' },
  images: { 'aria-api': 'sha256:1' },
  references: { 'aria-api': 'sha256:1' },
  services: { 'aria-api': 'running (healthy)', grafana: 'running' },
  schema: 's1',
  migrations: ['a006', 'a007'],
  tables: { sessions: '400 x' },
  oid: '16400',
  version: '2.1.0',
  failing: [],
  rows: [1, 2, 3],
}
const planned: Seen = { ...before, files: { ...before.files, VERSION: 'z 644' }, version: '2.1.1' }
const done: Ended = { run: 'deploy-aria', outcome: 'done', message: '', left: [] }
const undone: Ended = { ...done, outcome: 'Undone' }

function judged(after: Partial<Seen> = {}, more: Partial<Evidence> = {}) {
  return judge({
    before,
    after: { ...planned, ...after },
    main: done,
    others: [],
    asBefore: { ...asBefore(before), takenAt: 150 },
    asPlanned: { ...asBefore(planned), name: 'as planned' },
    byHand: {},
    acknowledged: [
      { number: 1, at: 100 },
      { number: 2, at: 200 },
    ],
    leftovers: [],
    chain: [],
    ...more,
  })
}

/** The same for a run that was undone, whose target is as it was but for this. */
const judgedUndone = (after: Partial<Seen> = {}, more: Partial<Evidence> = {}) =>
  judged({ ...before, ...after }, { main: undone, ...more })

test('what is as planned after a run that is done, and as before after one that was undone, holds', () => {
  expect(judged()).toEqual({ state: 'as planned', violations: [] })
  expect(judgedUndone()).toEqual({ state: 'as before', violations: [] })
})

describe('the state is found wrong', () => {
  test.each<[string, Partial<Seen>, RegExp]>([
    ['by a file of other content', { files: { ...before.files, VERSION: 'q 644' } }, /file VERSION is q 644/],
    ['by a file of another mode', { files: { ...before.files, VERSION: 'a 600' } }, /file VERSION is a 600/],
    ['by a file too many', { files: { ...before.files, new: 'n 644' } }, /file new is n 644, not missing/],
    ['by a file too few', { files: { VERSION: 'a 644' } }, /file models.yaml is missing/],
    ['by another image', { images: { 'aria-api': 'sha256:2' } }, /image of aria-api is sha256:2/],
    ['by another image behind the reference', { references: { 'aria-api': 'sha256:2' } }, /reference of aria-api/],
    ['by a container that is missing', { images: {}, references: {}, services: {} }, /aria-api is missing/],
    ['by another schema', { schema: 's2' }, /the schema is another one/],
    ['by a migration too many', { migrations: ['a006', 'a007', 'a008'] }, /migrations are a008/],
    ['by rows of a table', { tables: { sessions: '399 y' } }, /table sessions is 399 y/],
    ['by what the application says', { version: '2.1.1' }, /the application says 2.1.1/],
    ['by a service that is down', { services: { 'aria-api': 'exited' } }, /aria-api is exited/],
    [
      'by a service that is not healthy',
      { services: { 'aria-api': 'running (unhealthy)' } },
      /is running \(unhealthy\)/,
    ],
    ['by two containers of one service', { services: { 'aria-api': 'running and running' } }, /running and running/],
    ['by a check that fails', { failing: ['/api/health'] }, /check \/api\/health fails/],
  ])('%s', (_, after, said) => {
    const { state, violations } = judgedUndone(after)
    expect(state).toBe('neither')
    expect(violations.join('\n')).toMatch(said)
  })

  test('where a run that was undone left what it planned, or one that is done what was before', () => {
    expect(judged({}, { main: undone }).state).toBe('neither')
    expect(judged(before).state).toBe('neither')
  })

  test('where half of it is as planned, and half as before, however the run ended', () => {
    const half = { ...planned, version: '2.1.0' }
    expect(judged(half, { main: { ...done, outcome: 'Terminated' } }).state).toBe('neither')
  })

  test('where nobody knows the images beforehand, by a container that does not run what its reference names', () => {
    const { images: _, references: __, ...wish } = asBefore(planned)
    const asPlanned = { ...wish, name: 'as planned' }
    expect(judged({ images: { 'aria-api': 'sha256:9' } }, { asPlanned }).violations.join()).toMatch(/sha256:9/)
    expect(judged({}, { asPlanned }).violations).toEqual([])
  })
})

describe('the state', () => {
  test('is either one after a run that could not say how it ended', () => {
    const main = { ...done, outcome: 'Terminated' }
    expect(judged({}, { main }).state).toBe('as planned')
    expect(judged(before, { main }).state).toBe('as before')
  })

  test('is that of a run beside it, where that one is done and this one was undone', () => {
    const back = { ...before, version: '2.0.0' }
    const others = [{ ended: done, wish: { ...asBefore(back), name: 'at 2.0.0' } }]
    expect(judgedUndone(back, { others }).state).toBe('at 2.0.0')
    expect(judgedUndone({}, { others }).state).toBe('neither')
  })

  test('may be something else where the run says what it left, and only there', () => {
    const main = { ...done, outcome: 'NotUndone', left: ['aria-api: no image'] }
    expect(judgedUndone({ services: { 'aria-api': 'exited' } }, { main })).toEqual({
      state: 'as the run says',
      violations: [],
    })
    expect(judgedUndone({ services: { 'aria-api': 'exited' } }, { main: { ...main, left: [] } }).state).toBe('neither')
  })

  test('is not as the run says where a part is another one that it does not name', () => {
    const main = { ...done, outcome: 'NotUndone', left: ['start aria-api: exit status 1'] }
    const said = judgedUndone({ services: { 'aria-api': 'exited' }, files: { VERSION: 'q 644' } }, { main })
    expect(said.violations).toEqual([
      'no run says of what it left that file VERSION is q 644, not a 644',
      'no run says of what it left that file models.yaml is missing, not b 644',
    ])
    const named = { ...main, left: [...main.left, 'put the files back as they were: not tried'] }
    expect(judgedUndone({ files: { VERSION: 'q 644' } }, { main: named }).violations).toEqual([])
  })

  test('may have a file that somebody changed by hand meanwhile, with just that text', () => {
    const files = { ...before.files, 'models.yaml': 'hand 644' }
    expect(judgedUndone({ files }, { byHand: { 'models.yaml': 'hand 644' } }).violations).toEqual([])
    expect(judgedUndone({ files }, { byHand: { 'models.yaml': 'other 644' } }).state).toBe('neither')
  })

  test('may have services that were stopped on purpose, and only where they are', () => {
    const stopped = { ...asBefore(before), name: 'as planned', stopped: ['aria-api'] }
    const services = { ...before.services, 'aria-api': 'exited' }
    expect(judged({ ...before, services }, { asPlanned: stopped }).violations).toEqual([])
    expect(judged(before, { asPlanned: stopped }).state).toBe('neither')
  })
})

test('only a run that was ended, or that another one fenced, may leave something to the next one', () => {
  const leaves = (outcome: string | null) => mayLeave({ ...done, outcome })
  expect(['Terminated', 'Fenced', null].map(leaves)).toEqual([true, true, true])
  expect(['done', 'Undone', 'NotUndone', 'Refused', 'Cancelled'].some(leaves)).toBe(false)
})

test('a database may stay where a run that could not put everything back says so, and nothing else', () => {
  const left = ['drop the copy where it is not whole: not tried; given up']
  const notUndone = { ...done, outcome: 'NotUndone', left }
  const stray = { leftovers: ['database shop__warm_1'] }
  expect(judgedUndone({}, { ...stray, main: notUndone }).violations).toEqual([])
  expect(judgedUndone({}, stray).violations).toEqual(['left behind: database shop__warm_1'])
  expect(judgedUndone({}, { leftovers: ['job 1'], main: notUndone }).violations).toEqual(['left behind: job 1'])
})

test('a run that was refused where one was reset leaves what that had done to the next one', () => {
  const wasReset = { wasReset: true }
  expect(mayLeave({ ...done, ...wasReset, outcome: 'Refused' })).toBe(true)
  expect(['done', 'Undone', 'NotUndone'].some((outcome) => mayLeave({ ...done, ...wasReset, outcome }))).toBe(false)
  const refused = { ...done, outcome: 'Refused' }
  expect(judged({}, { main: { ...refused, ...wasReset } })).toEqual({ state: 'as planned', violations: [] })
  expect(judged({}, { main: refused }).state).toBe('neither')
})

describe('a violation is', () => {
  test('a migration that is applied twice', () => {
    expect(judgedUndone({ migrations: ['a006', 'a006', 'a007'] }).violations.join()).toMatch(
      /a006 was applied more than once/,
    )
  })

  test('a file below soul that is another one, is new, or is gone', () => {
    for (const soul of [{ 'VALUES.md': 'd 644' }, { ...before.soul, new: 'n 644' }, {}] as Seen['soul'][]) {
      expect(judged({ soul }).violations.join()).toMatch(/soul\/.* was touched/)
    }
  })

  test('an acknowledged row that is missing from the same database', () => {
    expect(judged({ rows: [1] }).violations).toEqual(['1 acknowledged rows are missing, first number 2'])
  })

  test('an acknowledged row of before the restore point that is missing from another database', () => {
    expect(judgedUndone({ oid: '16500', rows: [] }).violations).toEqual([
      '1 acknowledged rows are missing, first number 1',
    ])
    expect(judgedUndone({ oid: '16500', rows: [1] }).violations).toEqual([])
  })

  test('any row that is missing where rows were to come along', () => {
    const asPlanned = { ...asBefore(planned), name: 'as planned', keepsRows: true as const, takenAt: 0 }
    expect(judged({ oid: '16500', rows: [1] }, { asPlanned }).violations).toEqual([
      '1 acknowledged rows are missing, first number 2',
    ])
  })

  test('no row that was written into a database that was exchanged back, and any of before and behind that', () => {
    expect(judged({ rows: [1] }, { elsewhere: { from: 150, to: 250 } }).violations).toEqual([])
    for (const elsewhere of [
      { from: 201, to: 250 },
      { from: 150, to: 199 },
    ])
      expect(judged({ rows: [1] }, { elsewhere }).violations).toEqual([
        '1 acknowledged rows are missing, first number 2',
      ])
  })

  test('a row that is there twice', () => {
    expect(judged({ rows: [1, 2, 2] }).violations).toEqual(['1 rows are there more than once'])
  })

  test('what was left behind, and a broken chain', () => {
    expect(judged({}, { leftovers: ['lease 7 is held'] }).violations).toEqual(['left behind: lease 7 is held'])
    expect(judged({}, { chain: ['entry 3'] }).violations).toEqual(['the chain is broken: entry 3'])
  })

  test('a run that neither ends nor waits, this one or one beside it', () => {
    const main = { ...done, outcome: null }
    expect(judged({}, { main }).violations).toEqual(['deploy-aria did not end, and waits at no gate'])
    const others = [{ ended: { ...main, run: 'rollback' }, wish: asBefore(before) }]
    expect(judged({}, { others }).violations).toEqual(['rollback did not end, and waits at no gate'])
  })

  test('a run that goes on too late', () => {
    expect(judged({}, { resumedAfterMs: 10_001 }).violations.join()).toMatch(/went on only 10.0 s after/)
    expect(judged({}, { resumedAfterMs: 9_000 }).violations).toEqual([])
  })
})
