// The guard's long look, on a host that is told in memory: what it returns, and what it does not return for.

import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { type Watched, type Watching, guardActivities } from '../../src/activities/guard.js'
import type { Deps } from '../../src/activities/deps.js'
import { configSchema } from '../../src/config/schema.js'
import { StepbackError } from '../../src/plan/failure.js'

const target = {
  ssh: { host: 'h' },
  directory: '/d',
  backups: '/b',
  compose: { project: 'p', files: ['c.yml'] },
  services: { application: ['a'] },
  health: { checks: [{ name: 'api', url: 'http://127.0.0.1:1/' }] },
  guard: { interval: '1ms', grace: '1h' },
}

interface Told {
  readonly ledger?: readonly object[]
  readonly rollbacks?: (name: string, since: string) => Promise<readonly object[]>
}

/** A host that is away for the first so many polls; then all is well there. */
function watching(awayFor: number, { ledger = [], rollbacks = async () => [] }: Told = {}) {
  let polls = 0
  const ssh = async () => {
    if (++polls <= awayFor) throw new StepbackError({ type: 'Unreachable', message: 'no route' })
    return {}
  }
  const host = () => ({ readLease: async () => ({ number: 0 }), readLedger: async () => ledger })
  const deps = {
    config: configSchema.parse({ targets: { shop: target } }),
    hosts: { ssh, host },
    http: { check: async () => ({ check: 'api', healthy: true, detail: 'status 200' }) },
    runs: { rollbacks },
  }
  const { watchTarget } = guardActivities(deps as unknown as Deps)
  return async (before?: Watched): Promise<Watched> => {
    const input: Watching = { target: 'shop', known: before?.sight ?? null, memory: before?.memory ?? null }
    return (await new MockActivityEnvironment().run(watchTarget, input)) as Watched
  }
}

test('a host that was away is given its grace, and what it said before counts no longer', async () => {
  const look = watching(6)
  const gone = await look()
  expect(gone.sight).toMatchObject({ unreachable: true, pause: null })
  const back = await look(gone)
  expect(back.sight).toMatchObject({ pause: expect.stringMatching(/^grace until /), sources: [] })
  expect(back.sight.unreachable).toBeUndefined()
})

test('a host that was away for a poll or two has lost nothing', async () => {
  const look = watching(2)
  const gone = await look()
  const back = await look(gone)
  expect(gone.sight.unreachable).toBe(true)
  expect(back.sight).toMatchObject({ pause: null, sources: [{ source: 'checks' }] })
  expect(back.sight.countsFrom).toBe(gone.sight.countsFrom)
})

test('a look knows the rollbacks that any guard began since the release came', async () => {
  const run = { workflowId: 'deploy-shop-1', runId: 'r' }
  const release = { kind: 'deploy', version: '2.1.0', restorePoint: '20261123T135900Z-2.0.0', paths: [] }
  const at = '2026-11-23T14:00:00Z'
  const begun = [{ run: 'rollback-shop-guard-20261123T141000Z', at, waits: true, ended: null }]
  const asked: unknown[] = []
  const look = watching(0, {
    ledger: [{ at, token: 1, void: false, entry: { kind: 'finished', run, outcome: 'done', release } }],
    rollbacks: async (...words) => {
      asked.push(words)
      return begun
    },
  })
  expect((await look()).sight).toMatchObject({ begun })
  expect(asked).toEqual([['rollback-shop-guard-', at]])
})
