import { describe, expect, test } from 'vitest'
import { planConfiguration } from '../../src/plan/configuration.js'
import type { ConfigurationFacts, Facts } from '../../src/plan/facts.js'
import { describeKeys, keyChanges } from '../../src/plan/keys.js'
import { type FileChange, planNotes } from '../../src/plan/plan.js'
import { afterDeploy, manifest, model, rollbackRequest, withDigest } from '../support/plans.js'

const request = rollbackRequest({ scope: 'config' })
const change: FileChange = { path: '.env', how: 'changes', added: ['NEW'], removed: [], changed: ['MODEL'] }
const seen = afterDeploy()
const containers = seen.containers.map((it) => ({ ...it, configHash: `hash of ${it.service}` }))
const hashes = Object.fromEntries(Object.keys(model.services).map((it) => [it, [`hash of ${it}`]]))

function plan(found: Partial<ConfigurationFacts> = {}, facts: Facts = { ...seen, containers }) {
  const ahead = { absentImages: [], recreation: null }
  const all = { manifest: manifest(), model, hashes, changes: [change], kept: [], ahead, ...found }
  return withDigest(planConfiguration(request, facts, all, 'because'), request)
}

const names = ({ steps }: ReturnType<typeof plan>) => steps.map(({ act }) => act.name)
const stops = ({ steps }: ReturnType<typeof plan>) =>
  steps.flatMap(({ act }) => (act.name === 'stopServices' ? act.args.services : []))

describe('a rollback of configuration', () => {
  test('puts configured files back, keeping secrets, and restarts what they change', () => {
    const one = plan({ hashes: { ...hashes, api: ['another'] } })
    expect(names(one)).toEqual([
      'takeRestorePoint',
      'keepImages',
      'stopServices',
      'restoreFiles',
      'startServices',
      'checkHealth',
      'collectLogs',
    ])
    expect(one.steps[3]!.act.args).toMatchObject({
      secrets: 'keep',
      only: ['docker-compose.yml', '.env', 'models.yaml'],
    })
    expect(stops(one)).toEqual(['api'])
    expect(one).toMatchObject({ version: '2.1.0', because: 'because; it restarts api' })
    expect(JSON.stringify(one.steps.flatMap((step) => step.undo))).not.toMatch(/worker|web/)
  })

  test('restarts no service where none means another one, and does nothing where no file differs', () => {
    expect(names(plan())).not.toContain('stopServices')
    expect(names(plan())).not.toContain('startServices')
    expect(plan({ changes: [], hashes: { ...hashes, api: ['another'] } })).toMatchObject({ already: true, steps: [] })
  })

  test('restarts what has a changed file mounted, or the directory that it lies in', () => {
    const mounted = (bind: string) => {
      const binds = containers.map((it) => (it.service === 'worker' ? { ...it, binds: [bind] } : it))
      return stops(plan({ changes: [{ ...change, path: 'conf/models.yaml' }] }, { ...seen, containers: binds }))
    }
    expect(mounted('/srv/shop/conf/models.yaml')).toEqual(['worker'])
    expect(mounted('/srv/shop/conf')).toEqual(['worker'])
    expect(mounted('/srv/shop/conf/models.yaml.d')).toEqual([])
  })

  test('leaves alone what somebody stopped, unless it belongs to the application', () => {
    const all = Object.fromEntries(Object.keys(hashes).map((it) => [it, ['another']]))
    const without = { ...seen.stack, application: ['api'] }
    const stopped = containers.map((it) => ({ ...it, running: false }))
    expect(stops(plan({ hashes: all }, { ...seen, stack: without, containers: stopped }))).toEqual(['api'])
  })

  test('goes back from files that nobody can read', () => {
    const findings = [{ check: 'compose file', ok: false, detail: 'line 3' }]
    const blind = { ...seen, containers, model: { services: {} }, findings }
    expect(names(plan({ hashes: { ...hashes, api: ['another'] } }, blind))).toContain('restoreFiles')
  })

  test('is refused where a service that it restarts would have no image, and only there', () => {
    const absent = { ahead: { absentImages: ['nginx:1'], recreation: null } }
    expect(() => plan({ ...absent, hashes: { ...hashes, web: ['another'] } })).toThrow('nginx:1')
    expect(() => plan({ ...absent, hashes: { ...hashes, api: ['another'] } })).not.toThrow()
  })

  test('shows the keys that differ, and those that keep their live value', () => {
    expect(planNotes(plan({ kept: ['DB_PASSWORD'] }))).toEqual([
      '.env changes: +NEW, ~MODEL',
      'secrets that keep their live values: DB_PASSWORD',
    ])
  })
})

test('two documents differ by keys, and no value is told', () => {
  const now = { services: { api: { ports: ['80'], image: 'hunter2' } }, old: { a: 1 }, models: [{ context: 1 }] }
  const then = { services: { api: { ports: ['80', '81'], image: 'hunter3' } }, models: [{ context: 2, name: 'x' }] }
  const changes = keyChanges(now, then)
  expect(describeKeys(changes)).toEqual([
    '+services.api.ports[1], +models[0].name, -old, ~services.api.image, ~models[0].context',
  ])
  expect(JSON.stringify(changes)).not.toContain('hunter')
  expect(describeKeys(keyChanges(now, now))).toEqual([])
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, index]))
  expect(describeKeys(keyChanges({}, many))[0]).toMatch(/\+k39, and 10 more$/)
})
