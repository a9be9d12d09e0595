// In which order an act looks, is written to the ledger, and changes something: on a real host, with acts of the test's own.

import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ActCatalogue, type ActDefinition, actActivities } from '../../src/activities/act.js'
import type { Deps } from '../../src/activities/deps.js'
import { type Holder, Host } from '../../src/adapters/host.js'
import { type Sshd, startSshd } from '../support/sshd.js'

let sshd: Sshd
beforeAll(async () => {
  sshd = await startSshd()
})
afterAll(() => sshd.stop())

const run = { workflowId: 'deploy-shop', runId: '019a0000-0000-7000-8000-00000123abcd' }

test('an act that looks first changes something only when the ledger has its start', async () => {
  const { act, kinds } = await shop('own')
  const atChange: (readonly string[])[] = []
  await act({
    jobs: [],
    looksFirst: true,
    run: async (context) => {
      await context.begun
      atChange.push(await kinds())
      return null
    },
  })
  expect(atChange).toEqual([['start']])
  expect(await kinds()).toEqual(['start', 'end'])
})

test.each([true, undefined])(
  'under the lease of another run it changes nothing, and nothing is written (%s)',
  async (looksFirst) => {
    const { act, kinds } = await shop('other')
    const changed: string[] = []
    const acting = act({
      jobs: [],
      ...(looksFirst ? { looksFirst } : {}),
      run: async (context) => {
        await context.begun
        changed.push('it')
        return null
      },
    })
    await expect(acting).rejects.toMatchObject({ type: 'StaleLease' })
    expect(changed).toEqual([])
    expect(await kinds()).toEqual([])
  },
)

test('a job of an act that looks first waits for the start by itself', async () => {
  const { act, state } = await shop('own')
  const printed: string[] = []
  await act({
    jobs: ['list'],
    looksFirst: true,
    run: async (context) => {
      printed.push(await context.job('list', `ls ${state}/ledger\n`))
      return null
    },
  })
  expect(printed).toEqual(['00000001.json\n'])
})

test('an act that cannot even look has begun, and says how it ended', async () => {
  const { act, kinds } = await shop('own')
  const acting = act({
    jobs: [],
    looksFirst: true,
    run: async () => {
      throw new Error('no database answers')
    },
  })
  await expect(acting).rejects.toThrow('no database answers')
  expect(await kinds()).toEqual(['start', 'end'])
})

let shops = 0

/** A target whose lease this run has, or an earlier run of the same workflow. */
async function shop(whose: 'own' | 'other') {
  const ssh = await sshd.connect()
  const state = join(sshd.directory, `shop-${(shops += 1)}`)
  const host = new Host({ ssh: async () => ssh, stateDirectory: state })
  const holder: Holder = {
    ...run,
    ...(whose === 'own' ? {} : { runId: 'earlier' }),
    namespace: 'default',
    kind: 'deploy',
  }
  await host.acquire({ holder, mayTake: async () => undefined })
  const deps = {
    config: { targets: { shop: { name: 'shop' } } },
    hosts: { host: () => host, ssh: async () => ssh },
    namespace: 'default',
  } as unknown as Deps
  const environment = new MockActivityEnvironment({ workflowExecution: run, workflowType: 'deployWorkflow' })
  const input = {
    target: 'shop',
    token: 1,
    origin: run,
    safety: 'none',
    step: 0,
    stepName: 'migrateUp',
    undo: 0,
    attempt: 1,
  } as const
  return {
    state,
    act: async (definition: ActDefinition<'migrateUp'>) => {
      const { migrateUp } = actActivities(deps, { migrateUp: definition } as unknown as ActCatalogue)
      return await environment.run(() => migrateUp({ ...input, args: { migrations: [] } }))
    },
    kinds: async () => (await host.readLedger()).map((record) => (record.entry as { kind: string }).kind),
  }
}
