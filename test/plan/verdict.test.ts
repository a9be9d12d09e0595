import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config/schema.js'
import { type Counting, count, rateOutcome, uncounted } from '../../src/plan/metrics.js'
import { type Outcome, type SourceVerdict, type Track, combine, track, untried } from '../../src/plan/verdict.js'

const rule = { failures: 3, of: 5, recover: 3 }
const follow = (outcomes: readonly Outcome[], from: Track = untried) =>
  outcomes.reduce((before, outcome) => track(before, outcome, rule), from)
const row = (letters: string): Outcome[] =>
  letters.split('').map((letter) => (letter === '.' ? 'ok' : letter === 'F' ? 'failing' : 'unknown'))

describe('a row of polls', () => {
  test.each([
    ['', 'inconclusive'],
    ['..', 'inconclusive'],
    ['...', 'healthy'],
    ['...F', 'healthy'],
    ['...FF', 'healthy'],
    ['...F.F', 'healthy'],
    ['...F.F.F', 'degraded'],
    ['...FFF', 'degraded'],
    ['FFF', 'degraded'],
    ['FFF.', 'degraded'],
    ['FFF..', 'degraded'],
    ['FFF...', 'healthy'],
    ['...???', 'inconclusive'],
    ['...F??', 'inconclusive'],
    ['...???...', 'healthy'],
    ['FFF???', 'inconclusive'],
  ])('"%s" is %s', (letters, verdict) => {
    expect(follow(row(letters)).verdict).toBe(verdict)
  })

  test('is never kept for longer than the rule needs', () => {
    expect(follow(row('.'.repeat(1_000))).recent).toHaveLength(5)
  })
})

describe('several sources', () => {
  const say = (...verdicts: SourceVerdict['verdict'][]) =>
    verdicts.map((verdict, index) => ({ source: `${index}`, verdict, detail: '' }))

  test.each([
    [say('healthy', 'healthy'), 1, 'healthy'],
    [say('healthy', 'degraded'), 1, 'degraded'],
    [say('healthy', 'degraded'), 2, 'inconclusive'],
    [say('degraded', 'degraded'), 2, 'degraded'],
    [say('healthy', 'inconclusive'), 1, 'healthy'],
    [say('inconclusive', 'inconclusive'), 1, 'inconclusive'],
    [[], 1, 'inconclusive'],
  ] as const)('%# agree or not', (sources, agree, verdict) => {
    expect(combine(sources, agree)).toBe(verdict)
  })
})

describe('over 10,000 generated windows of two minutes at the default settings', { timeout: 60_000 }, () => {
  const target = {
    ssh: { host: 'h' },
    directory: '/d',
    backups: '/b',
    compose: { project: 'p', files: ['c.yml'] },
    services: { application: ['a'] },
  }
  const { guard } = configSchema.parse({ targets: { t: target } }).targets['t']!
  const windows = 10_000
  const polls = 24
  const rate = { above: 0.05, minimum: 50, total: { metric: 't', labels: {} }, errors: { metric: 'e', labels: {} } }

  /** A share of failing answers and so many requests a poll; low traffic comes as often as high. */
  const judged = (random: () => number, sick: { readonly polls: number; readonly requests: number }) => {
    const traffic = [0.2, 2, 20, 200][Math.floor(random() * 4)]!
    let checks = untried
    let metric = untried
    let counting: Counting = uncounted
    let [total, errors] = [0, 0]
    for (let poll = 0; poll < polls; poll++) {
      const requests = Math.floor(traffic * 2 * random() + random())
      total += requests
      for (let request = 0; request < requests; request++) if (random() < sick.requests) errors++
      counting = count(counting, { total, errors })
      metric = track(metric, rateOutcome(counting, rate), guard)
      checks = track(checks, random() < sick.polls ? 'failing' : 'ok', guard)
      const sources = [checks, metric].map(({ verdict }, index) => ({ source: `${index}`, verdict, detail: '' }))
      if (combine(sources, guard.agree) === 'degraded') return 'degraded'
    }
    return 'not degraded'
  }

  test('healthy ones that lose one answer in fifty lead to a rollback in at most 0.5 % of them', () => {
    const random = seeded(1)
    const wrong = times(windows, () => judged(random, { polls: 0.02, requests: 0.02 })).filter(
      (it) => it === 'degraded',
    )
    expect(wrong.length).toBeLessThanOrEqual(windows * 0.005)
  })

  test('degraded ones that lose every other answer are missed in at most 1 % of them', () => {
    const random = seeded(2)
    const seen = times(windows, () => judged(random, { polls: 0.5, requests: 0.5 })).filter((it) => it === 'degraded')
    expect(seen.length).toBeGreaterThanOrEqual(windows * 0.99)
  })

  test('degraded ones whose checks stay well are seen by their requests, given enough of them', () => {
    const random = seeded(3)
    const one = () => {
      let metric = untried
      let counting: Counting = uncounted
      let [total, errors] = [0, 0]
      for (let poll = 0; poll < polls; poll++) {
        total += 20
        for (let request = 0; request < 20; request++) if (random() < 0.2) errors++
        counting = count(counting, { total, errors })
        metric = track(metric, rateOutcome(counting, rate), guard)
      }
      return metric.verdict
    }
    const seen = times(windows, one).filter((it) => it === 'degraded')
    expect(seen.length).toBeGreaterThanOrEqual(windows * 0.99)
  })
})

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}

/** Mulberry32: the same row of numbers from 0 to 1 for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
