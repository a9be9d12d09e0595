import { expect, test } from 'vitest'
import { observeDisk } from '../../src/activities/observe/disk.js'
import { containersAround, dockerRoot, labelledVolumes } from '../../src/commands/observe.js'
import { type FakeContainer, around, lookAtFake, web } from '../support/fake-host.js'

const listed = { id: web.Id, state: 'running', mounts: 'shop_data,/srv/models' }

interface Host {
  readonly inspected: readonly (typeof web)[]
  readonly containers: readonly FakeContainer[]
  readonly volumes: readonly (readonly string[])[]
}

/** What a host answers, and what it was asked. */
async function observed(host: Partial<Host>) {
  const { inspected = [web], containers = [listed], volumes = [['shop_data', 'shop', 'data']] } = host
  const asked: string[] = []
  const look = await lookAtFake((script) => {
    asked.push(script)
    if (script === containersAround('shop')) return around(containers, inspected)
    if (script === labelledVolumes) return volumes.map((row) => JSON.stringify(row)).join('\n')
    if (script === dockerRoot) return '/var/lib/docker\n'
    return script.includes('config --format json') ? '{"volumes":{"data":{"name":"shop_data"}}}' : ''
  })
  const facts = await observeDisk(look)
  return { facts, asked, askedCompose: asked.some((it) => it.includes('config --format json')) }
}

test('where every volume is mounted and nothing has ended, Compose need not read the files', async () => {
  const { facts, asked, askedCompose } = await observed({})
  expect(facts).toMatchObject({
    dockerRoot: '/data/docker',
    endedRuns: [],
    mounted: ['shop_data', '/srv/models'],
    named: null,
    remembered: [],
  })
  expect(askedCompose).toBe(false)
  expect(asked).not.toContain(dockerRoot)
  expect(asked.filter((it) => it.includes('docker ps'))).toEqual([containersAround('shop')])
})

test.each<[string, Partial<Host>]>([
  ['a volume that nobody has', { volumes: [['shop_old', 'shop', 'old']] }],
  ['an ended container with one', { inspected: [{ ...web, State: { Running: false, Status: 'exited' } }] }],
])('of %s the files decide', async (_what, host) => {
  const { facts, askedCompose } = await observed(host)
  expect(facts.named).toEqual(['data', 'shop_data'])
  expect(askedCompose).toBe(true)
})

test('only what a run of this project left has ended', async () => {
  const { facts } = await observed({
    containers: [
      listed,
      { id: 'b2', state: 'exited', oneoff: 'True' },
      { id: 'b3', state: 'running', oneoff: 'True' },
      { id: 'b4', state: 'exited', oneoff: 'True', project: 'other' },
      { id: 'b5', state: 'exited', oneoff: '', project: '', mounts: 'by_hand' },
    ],
  })
  expect(facts.endedRuns).toEqual(['b2'])
  expect(facts.mounted).toContain('by_hand')
})

test('without a container that tells it, Docker is asked where it keeps its data', async () => {
  for (const inspected of [[], [{ ...web, ResolvConfPath: '' }]]) {
    expect((await observed({ inspected })).facts.dockerRoot).toBe('/var/lib/docker')
  }
})
