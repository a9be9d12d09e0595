import { describe, expect, test } from 'vitest'
import { type Acted, recalled } from '../../src/plan/acted.js'
import { type GuardSettings, type Sight, decide } from '../../src/plan/guard.js'
import type { Recorded } from '../../src/plan/ledger.js'
import { stopInForce } from '../../src/plan/ledger.js'
import { afterPause, nothingPolled, polled, underRelease } from '../../src/plan/polls.js'
import { hear, malformedHealth, nextSilenceMs, reported } from '../../src/plan/reports.js'
import { standing } from '../../src/plan/standing.js'
import { count, rateOutcome, readCounters, rebased, uncounted } from '../../src/plan/metrics.js'
import { release, settings, sick, sight, since } from '../support/guards.js'
import { deployPlan, deployRequest, rollbackPlan } from '../support/plans.js'

const nowMs = Date.parse(since) + 60_000
const base = { sight, sources: sick, verdict: 'degraded', forMs: 0, policy: null, acted: [], nowMs } as const
const acted: Acted = { release: release.id, run: 'rollback-t-guard-1', asks: false, at: since, why: '', outcome: null }
const seenWith = (changes: Partial<Sight['standing']>, of: Partial<GuardSettings> = {}) => ({
  sight: { ...sight, settings: { ...settings, ...of }, standing: { ...sight.standing, ...changes } },
})

describe('a degraded target', () => {
  test('goes back by itself where the deploy brought no migration', () => {
    expect(decide(base)).toEqual({ kind: 'rollback', asks: false, why: 'checks: api: status 503' })
  })

  test.each([
    ['asks where the deploy brought migrations', seenWith({ schemaChanged: true }), true],
    ['asks where the policy says so', { policy: 'ask' as const }, true],
    [
      'goes back whatever the schema where the policy says act',
      { ...seenWith({ schemaChanged: true }), policy: 'act' as const },
      false,
    ],
    [
      'asks all the same where rows might be lost and nobody else would ask',
      { ...seenWith({ schemaChanged: true }, { losesUnasked: true }), policy: 'act' as const },
      true,
    ],
    [
      'asks nobody where the policy allows that loss in so many words',
      { ...seenWith({ schemaChanged: true }, { losesUnasked: true, mayLoseData: true }), policy: 'act' as const },
      false,
    ],
  ])('%s', (_title, changes, asks) => {
    expect(decide({ ...base, ...changes })).toMatchObject({ kind: 'rollback', asks })
  })

  test.each([
    ['the policy only observes', { policy: 'observe' as const }, 'only observes'],
    ['its release was gone back from already', { acted: [acted] }, 'rollback-t-guard-1 was started for it already'],
    [
      'its release runs for longer than the window',
      { nowMs: nowMs + settings.windowMs },
      "longer than the guard's window",
    ],
    ['the ledger forbids it', seenWith({ never: '2.0.0 was itself rolled back' }), '2.0.0 was itself rolled back'],
    [
      'the host cannot be reached, and a reporter fell silent with it',
      { sight: { ...sight, unreachable: true as const } },
      'the host cannot be reached',
    ],
    ['there is no release', seenWith({ release: null, never: null }), 'no release is recorded yet'],
  ])('only calls a person where %s', (_title, changes, why) => {
    expect(decide({ ...base, ...changes })).toMatchObject({ kind: 'call', why: expect.stringContaining(why) })
  })

  test('is only watched while something else is going on', () => {
    expect(decide({ ...base, sight: { ...sight, pause: 'deploy-t-1 is at work' } })).toEqual({ kind: 'nothing' })
  })
})

describe('a rollback that was refused before its first change', () => {
  const refused = (run: string, afterMs = 0): Acted => {
    const refusedAt = new Date(nowMs + afterMs).toISOString()
    return { ...acted, run, outcome: 'a host key is missing', refusedAt }
  }
  const retrying = seenWith({}, { retry: { times: 3, afterMs: 60_000 } })
  const at = (ms: number, ...tries: Acted[]) => decide({ ...base, ...retrying, acted: tries, nowMs: nowMs + ms })

  test('is not the one of its release, and is tried again later, and later still', () => {
    const minute = 60_000
    expect(at(minute - 1, refused('r-1'))).toMatchObject({
      kind: 'call',
      why: expect.stringContaining('r-1 was refused, and is tried again: a host key is missing'),
    })
    expect(at(minute, refused('r-1'))).toMatchObject({ kind: 'rollback' })
    expect(at(4 * minute, refused('r-1'), refused('r-2', 1))).toMatchObject({ kind: 'call' })
    expect(at(4 * minute + 1, refused('r-1'), refused('r-2', 1))).toMatchObject({ kind: 'rollback' })
  })

  test('is for a person once it was refused three times', () => {
    const tries = [refused('r-1'), refused('r-2'), refused('r-3')]
    expect(at(settings.windowMs / 2, ...tries)).toMatchObject({
      kind: 'call',
      why: expect.stringContaining('r-3 was refused, as were 2 before it: a host key is missing'),
    })
  })

  test('is known to a guard that was not there when it ended', () => {
    const ended = { at: since, type: 'Refused', message: 'no' }
    const begun = [{ run: acted.run, at: since, waits: false, ended }]
    expect(recalled([acted], { ...sight, begun })).toEqual([{ ...acted, outcome: 'no', refusedAt: since }])
  })
})

describe('a rollback that another guard began for the release', () => {
  const begun = (ended: { at: string; type: string; message: string } | null) =>
    decide({
      ...base,
      acted: recalled([], { ...sight, begun: [{ run: 'r-0', at: since, waits: ended === null, ended }] }),
    })

  test.each([
    ['while it waits at its gate', null],
    ['when a person rejected it', { at: since, type: 'Rejected', message: 'rejected by ann' }],
    ['when it was terminated', { at: since, type: '', message: 'terminated' }],
  ])('is the one of that release %s', (_title, ended) => {
    expect(begun(ended)).toMatchObject({ kind: 'call', why: expect.stringContaining('r-0 was started for it already') })
  })
})

describe('what nobody can tell', () => {
  const doubt = { ...base, verdict: 'inconclusive', forMs: settings.undecidedMs } as const

  test('is nothing at first', () => {
    expect(decide({ ...doubt, forMs: settings.undecidedMs - 1 })).toEqual({ kind: 'nothing' })
  })

  test('is asked of a person once it lasts and a source is degraded, whatever the policy', () => {
    expect(decide({ ...doubt, policy: 'act' })).toMatchObject({ kind: 'rollback', asks: true })
  })

  test('only calls a person where nothing answers at all', () => {
    const sources = [{ source: 'checks', verdict: 'inconclusive', detail: 'the host cannot be reached' }] as const
    expect(decide({ ...doubt, sources })).toMatchObject({ kind: 'call' })
  })
})

describe('the ledger', () => {
  const plan = deployPlan(deployRequest({ version: '2.1.0' }))
  const records = (...runs: readonly (readonly [string, Recorded['entry'][]])[]): Recorded[] =>
    runs.flatMap(([at, entries]) => entries.map((entry) => ({ at, token: 1, entry, void: false })))
  const ended = (name: string, of: typeof plan, back: 'deploy' | 'rollback', version: string): Recorded['entry'][] => {
    const run = { workflowId: name, runId: name }
    const restorePoint = back === 'deploy' ? of.safety : of.restorePoint!
    return [
      { kind: 'plan', run, plan: of },
      { kind: 'finished', run, outcome: 'done', release: { kind: back, version, restorePoint, paths: [] } },
    ]
  }
  const deployed = ['2026-11-23T14:05:00Z', ended('deploy-1', plan, 'deploy', '2.1.0')] as const
  const back = { ...rollbackPlan(), restorePoint: plan.safety, before: { version: '2.1.0', head: null } }

  test('says what runs, since when, what came before, and whether its deploy brought migrations', () => {
    expect(standing(records(deployed), { target: 'shop' })).toEqual({
      release: { version: '2.1.0', since: '2026-11-23T14:05:00Z', id: plan.safety, by: 'deploy' },
      to: '2.0.0',
      schemaChanged: true,
      never: null,
    })
    const plain = deployPlan(deployRequest({ migrateTo: 'none' }))
    const seen = standing(records(['2026-11-23T14:05:00Z', ended('d', plain, 'deploy', '2.1.0')]), { target: 'shop' })
    expect(seen.schemaChanged).toBe(false)
  })

  test('forbids going back from what a rollback went back to, so that there are no loops', () => {
    const first = { ...plan, safety: '20261123T130000Z-1.9.0' }
    const all = records(['2026-11-23T13:05:00Z', ended('deploy-0', first, 'deploy', '2.0.0')], deployed, [
      '2026-11-23T14:10:00Z',
      ended('rollback-shop-guard-1', back as never, 'rollback', '2.0.0'),
    ])
    expect(standing(all, { target: 'shop' }).never).toBe('2.0.0 is what a rollback went back to')
  })

  test('forbids going back to a release that was itself rolled back', () => {
    const again = { ...plan, safety: '20261123T141500Z-2.1.0' }
    const all = records(
      deployed,
      ['2026-11-23T14:10:00Z', ended('rollback-1', back as never, 'rollback', '2.0.0')],
      ['2026-11-23T14:14:00Z', ended('deploy-2', plan, 'deploy', '2.1.0')],
      ['2026-11-23T14:16:00Z', ended('deploy-3', again, 'deploy', '2.2.0')],
    )
    expect(standing(all, { target: 'shop' }).never).toBe('2.1.0, which came before it, was itself rolled back')
  })

  test('forbids a second rollback of one release, also to a guard that was started anew', () => {
    const run = { workflowId: 'rollback-shop-guard-20261123T141000Z', runId: 'r' }
    const begun = { kind: 'plan', run, plan: back } as Recorded['entry']
    const all = records(deployed, ['2026-11-23T14:10:00Z', [begun]])
    expect(standing(all, { target: 'shop' }).never).toBe(`${run.workflowId} was begun for it already`)
  })

  test('tells which run stopped the target, until it is started again', () => {
    const run = { workflowId: 'emergency-shop-1', runId: 'r' }
    const stopped = records(['2026-11-23T14:10:00Z', [{ kind: 'stopped', run }]])
    expect(stopInForce(stopped)?.by).toBe('emergency-shop-1')
    expect(stopInForce([...stopped, ...records(['2026-11-23T14:20:00Z', [{ kind: 'started', run }]])])).toBeNull()
  })
})

describe('a report', () => {
  test.each([
    ['degraded', 'expected one JSON object'],
    [{ status: 'bad' }, 'status: expected "ok", "degraded" or "down"'],
    [{ status: 'ok', sauce: 'x' }, 'unknown key "sauce"; known: status, source, detail, at'],
    [{ status: 'ok', source: '' }, 'source: expected a text of 1 to 200 characters'],
    [{ status: 'ok', at: 'now' }, 'at: expected a time as ISO 8601, with a zone'],
    [{ status: 'down', source: 'heartbeat', detail: 'no answer', at: '2026-11-23T14:00:00+01:00' }, undefined],
  ])('%j: %s', (input, why) => {
    expect(malformedHealth(input)).toBe(why)
  })

  const listening = { expects: [], silenceMs: 90_000, countsFrom: since }
  const say = (status: 'ok' | 'down', at: number, before: Parameters<typeof hear>[0] = []) =>
    hear(before, { status, source: 'heartbeat' }, { ...settings, nowMs: at }).reporters

  test('counts by the same rule as a poll', () => {
    let reporters = say('down', nowMs)
    reporters = say('down', nowMs, reporters)
    expect(reported({ ...listening, reporters, nowMs })[0]!.verdict).toBe('inconclusive')
    reporters = say('down', nowMs, reporters)
    expect(reported({ ...listening, reporters, nowMs })[0]!.verdict).toBe('degraded')
  })

  test('that stays away is a finding, counted from the last one or from the end of a pause', () => {
    const reporters = say('ok', nowMs)
    const later = (nowMs_: number, countsFrom = since) =>
      reported({ ...listening, countsFrom, reporters, nowMs: nowMs_ })[0]!.verdict
    expect(later(nowMs + 89_999)).toBe('inconclusive')
    expect(later(nowMs + 90_000)).toBe('degraded')
    expect(later(nowMs + 90_000, new Date(nowMs + 60_000).toISOString())).toBe('inconclusive')
    expect(nextSilenceMs({ ...listening, reporters, nowMs: nowMs + 30_000 })).toBe(60_000)
  })

  test('that is expected and never came is a finding, too', () => {
    const input = { ...listening, expects: ['heartbeat'], reporters: [], nowMs: Date.parse(since) + 90_000 }
    expect(reported(input)).toEqual([{ source: 'heartbeat', verdict: 'degraded', detail: `silent since ${since}` }])
  })

  test('that was long under way is refused, and so is the 21st source', () => {
    const rule = { ...settings, nowMs }
    expect(hear([], { status: 'ok', at: '2026-11-23T13:00:00Z' }, rule).refused).toContain('too late')
    const many = Array.from({ length: 20 }, (_, index) => `s${index}`)
    const full = many.reduce<Parameters<typeof hear>[0]>(
      (all, source) => hear(all, { status: 'ok', source }, rule).reporters,
      [],
    )
    expect(hear(full, { status: 'ok', source: 'one more' }, rule).refused).toContain('more than 20 sources')
  })
})

describe('polls of the checks', () => {
  const bad = [{ check: 'grafana', healthy: false, detail: 'status 502' }]
  const many = (times: number, from = nothingPolled) =>
    Array.from({ length: times }).reduce<typeof from>((memory) => polled(memory, bad, settings).memory, from)

  test('are compared with how it was before the deploy', () => {
    const before = many(10, underRelease(nothingPolled, { ...release, id: 'old' }))
    const { source } = polled(many(4, underRelease(before, release)), bad, settings)
    expect(source).toEqual({
      source: 'checks',
      verdict: 'inconclusive',
      detail: 'grafana: status 502, as before this release',
    })
  })

  test('of a release that was gone back from are no measure', () => {
    const before = many(10, underRelease(nothingPolled, { ...release, id: 'bad' }))
    const after = underRelease(before, { ...release, id: 'old', by: 'rollback' })
    expect(polled(many(4, after), bad, settings).source.verdict).toBe('degraded')
  })

  test('from before a pause count no longer, and those that reached nobody say nothing', () => {
    expect(afterPause(many(10)).checks.recent).toEqual([])
    expect(polled(many(1), null, settings).source.detail).toBe('the host cannot be reached')
  })
})

describe('metrics', () => {
  const rule = {
    total: { metric: 'http_requests_total', labels: {} },
    errors: { metric: 'http_requests_total', labels: { code: '5*', path: '/a "b"' } },
    above: 0.05,
    minimum: 50,
  }
  const counted = (...steps: readonly (readonly [number, number])[]) =>
    steps.reduce((before, [total, errors]) => count(before, { total, errors }), uncounted)

  test('are read by name and labels, and a missing one is nothing', () => {
    const text = [
      '# TYPE http_requests_total counter',
      'http_requests_total{code="200",path="/a"} 90',
      'http_requests_total{code="503",path="/a \\"b\\""} 7 1732370531000',
      'http_requests_total_sum 1',
    ].join('\n')
    const escaped = { ...rule, errors: { ...rule.errors, labels: { code: '5*' } } }
    expect(readCounters(text, escaped)).toEqual({ total: 97, errors: 7 })
    expect(readCounters('up 1', rule)).toBeNull()
  })

  test.each([
    [
      'say nothing below the minimum',
      [
        [0, 0],
        [49, 49],
      ],
      'unknown',
    ],
    [
      'are well below the threshold',
      [
        [0, 0],
        [1000, 30],
      ],
      'ok',
    ],
    [
      'are well where chance explains what is above it',
      [
        [0, 0],
        [50, 4],
      ],
      'ok',
    ],
    [
      'fail well above it',
      [
        [0, 0],
        [100, 30],
      ],
      'failing',
    ],
    [
      'begin anew where a counter fell',
      [
        [5000, 5000],
        [100, 0],
      ],
      'ok',
    ],
  ] as const)('%s', (_title, steps, outcome) => {
    expect(rateOutcome(counted(...steps), rule)).toBe(outcome)
  })

  test('fail only beyond twice the share of the release before', () => {
    const before = rebased(counted([0, 0], [1000, 200]))
    expect(rateOutcome(count(before, { total: 2000, errors: 500 }), rule)).toBe('ok')
    expect(rateOutcome(count(before, { total: 2000, errors: 1000 }), rule)).toBe('failing')
  })
})
