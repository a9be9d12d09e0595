import { z } from 'zod'
import { duration, name, wait } from './values.js'

const selector = z.strictObject({
  metric: z.string().regex(/^[A-Za-z_:][\w:]*$/, "should be a metric's name"),
  labels: z.record(z.string(), z.string()).default({}).describe('labels that it must have; `*` is anything'),
})

export const guard = z
  .strictObject({
    policy: z
      .enum(['observe', 'ask', 'act'])
      .optional()
      .describe(
        'what a degraded target leads to: a call for a person, a rollback that waits at its gate, or a rollback; ' +
          'default: `act` where the deploy brought no migration, `ask` otherwise',
      ),
    mayLoseData: z
      .boolean()
      .default(false)
      .describe('a rollback by itself may lose rows, where `approval.rollback` is `never`, too'),
    window: duration.default('24h').describe('a release that runs for longer is not gone back from by itself'),
    grace: duration.default('30s').describe('so long after a run nothing counts'),
    interval: wait.default('5s').describe('how often the checks of `health` are asked'),
    failures: z.int().min(1).default(3).describe('so many failing polls or reports of one source...'),
    of: z.int().min(1).max(100).default(5).describe('...among the newest so many are degraded'),
    recover: z.int().min(1).max(100).default(3).describe('so many good ones in a row are healthy again'),
    agree: z.int().min(1).default(1).describe('so many sources (the checks, each metric, each reporter) must agree'),
    undecided: duration.default('2m').describe('what stays undecided for so long is asked of a person'),
    silence: wait.default('90s').describe('a reporter that says nothing for so long is a failing one'),
    expects: z
      .array(z.string().min(1).max(200))
      .default([])
      .describe('reporters that must be heard from the beginning'),
    metrics: z
      .array(
        z.strictObject({
          name: name.describe('how the source is called'),
          url: z.url({ protocol: /^https?$/ }).describe("Prometheus' text format, requested from the host itself"),
          total: selector.describe('a counter of all'),
          errors: selector.describe('a counter of those that failed'),
          above: z.number().min(0).max(1).default(0.05).describe('a share beyond it, and beyond twice the one before'),
          minimum: z.int().min(1).default(50).describe('so many in the last twelve polls; with fewer it says nothing'),
        }),
      )
      .default([]),
  })
  .refine((it) => it.failures <= it.of, { path: ['failures'], message: 'should not be more than `of`' })
  .prefault({})
