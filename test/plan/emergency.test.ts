import { describe, expect, test } from 'vitest'
import { verdictOf } from '../../src/plan/emergency/unresponsive.js'
import { type LedgerEntry, debts, stopInForce } from '../../src/plan/ledger.js'
import { emergencyFacts, emergencyPlan, emergencyRequest } from '../support/emergencies.js'
import { container, finished, records } from '../support/plans.js'

const run = { workflowId: 'emergency-shop-1', runId: '00000000-e1' }
const stopped = records({ kind: 'stopped', run, ran: ['api', 'web'] })
const allDown = ['api', 'worker', 'web'].map((service) => container(service, { running: false, state: 'exited' }))
const down = emergencyFacts({ records: stopped, containers: [container('db'), ...allDown] })
const acts = (plan: ReturnType<typeof emergencyPlan>) => plan.steps.map(({ act }) => act.name)
const start = emergencyRequest({ procedure: 'start' })

describe('a stop', () => {
  test('records what runs before it stops the application, all at once, and leaves the database up', () => {
    const plan = emergencyPlan()
    expect(acts(plan)).toEqual(['recordStop', 'stopServices', 'fenceDatabase'])
    expect(plan.steps[1]!.act.args).toEqual({ services: ['api', 'worker', 'web'], graceSeconds: 5 })
    expect(plan).toMatchObject({ kind: 'emergency', scope: 'stop', because: 'api, worker, web run', answers: null })
    expect(plan.approval).toMatchObject({ required: false, why: 'an emergency asks nobody' })
  })

  test('again is done already, and forgets nothing of what an earlier one stopped', () => {
    expect(emergencyPlan(emergencyRequest(), down)).toMatchObject({ already: true, steps: [] })
    const half = { ...down, containers: [container('db'), container('worker'), ...allDown.slice(0, 1)] }
    const [record] = emergencyPlan(emergencyRequest(), half).steps
    expect(record!.act.args).toMatchObject({ ran: ['api', 'web'] })
  })

  test('is refused where the project has no container of the application: nothing would be stopped', () => {
    const plan = () => emergencyPlan(emergencyRequest(), emergencyFacts({ containers: [container('db')] }))
    expect(plan).toThrow('project "shop" of target "shop" has no container of api, worker, web')
  })

  test('has no database to fence where the target has none', () => {
    const { stack } = emergencyFacts()
    const plan = emergencyPlan(emergencyRequest(), emergencyFacts({ stack: { ...stack, databaseService: null } }))
    expect(acts(plan)).toEqual(['recordStop', 'stopServices'])
  })
})

describe('a start', () => {
  test('starts in their order what ran when it was stopped, and lets the guard go on once it is healthy', () => {
    const plan = emergencyPlan(start, down)
    expect(acts(plan)).toEqual(['startServices', 'checkHealth', 'recordStart'])
    expect(plan.steps[0]).toMatchObject({
      commit: true,
      act: { args: { levels: [{ services: ['api'] }, { services: ['web'] }] } },
      undo: [{ name: 'stopServices', args: { services: ['api', 'web'] } }],
    })
    expect(plan.because).toBe('api, web ran when emergency-shop-1 stopped it')
  })

  test('starts a database that does not run first', () => {
    const plan = emergencyPlan(start, { ...down, containers: allDown })
    expect(plan.steps[0]!.act.args).toMatchObject({
      levels: [{ services: ['db'], wait: true }, { services: ['api'] }, { services: ['web'] }],
    })
  })

  test('starts the whole application where nobody recorded what ran', () => {
    const plan = emergencyPlan(start, { ...down, records: [] })
    expect(acts(plan)).toEqual(['startServices', 'checkHealth'])
    expect(plan.steps[0]!.act.title).toBe('start api, web, worker')
  })

  test('of what runs is done already', () => {
    expect(emergencyPlan(start)).toMatchObject({ already: true, because: 'it was not stopped, and runs' })
  })

  test('is refused where the files name another stack: they would start a second one', () => {
    const { files } = emergencyFacts()
    const other = { ...files!, identity: { check: 'project', ok: false, detail: 'belongs to "brain"' } }
    expect(() => emergencyPlan(start, { ...down, files: other })).toThrow('project: belongs to "brain"')
  })
})

describe('a stop on purpose', () => {
  test('is in force until a start, or until a release was brought whole', () => {
    expect(stopInForce(stopped)).toMatchObject({ by: 'emergency-shop-1', ran: ['api', 'web'] })
    const release = finished({ kind: 'deploy', version: '2.1.0', restorePoint: '20261123T100000Z-2.0.0', paths: [] })
    const behind = (entry: LedgerEntry) => stopInForce(records(stopped[0]!.entry, entry))
    expect(behind({ kind: 'started', run })).toBeNull()
    expect(behind(release)).toBeNull()
    expect(behind({ kind: 'finished', run, outcome: 'done' })).not.toBeNull()
    expect(behind({ ...release, outcome: 'undone' } as LedgerEntry)).not.toBeNull()
  })

  test('that died behind its stop is not undone without a person', () => {
    const plan = emergencyPlan()
    const begun = (step: number) =>
      records({ kind: 'plan', run, plan }, { kind: 'start', run, step, act: plan.steps[step]!.act.name, undo: false })
    const other = { workflowId: 'deploy-shop-1', runId: '00000000-d1' }
    expect(debts(begun(0), other)).toMatchObject([{ started: [0] }])
    expect(debts(begun(0), other)[0]!.ask).toBeUndefined()
    expect(debts(begun(1), other)[0]!.ask).toBe('an emergency that reached its commit step is not undone by itself')
  })
})

describe('what does not answer', () => {
  const plan = emergencyPlan(emergencyRequest({ procedure: 'unresponsive' }))

  test('is listed, stopped, its database asked, its last lines kept, and a verdict given', () => {
    expect(acts(plan)).toEqual([
      'listContainers',
      'recordStop',
      'stopServices',
      'askDatabase',
      'collectLogs',
      'giveVerdict',
      'fenceDatabase',
    ])
    expect(plan.steps[4]!.act.args).toEqual({
      lines: 100,
      services: ['worker'],
      file: 'logs_unresponsive_20261123T140211Z.txt',
    })
    expect(plan.because).toBe('before it: api running, worker running, web running')
  })

  test('behind a stop on purpose says so, in place of wondering why nothing runs', () => {
    const plan = emergencyPlan(emergencyRequest({ procedure: 'unresponsive' }), down)
    expect(plan.because).toContain('; emergency-shop-1 stopped it on purpose')
    expect(plan.steps.at(-2)!.act.args).toMatchObject({ stoppedBy: 'emergency-shop-1' })
  })

  const seen = ['api', 'worker', 'web'].map((service) => ({ service, state: 'running', health: null }))
  const found = {
    target: 'shop',
    application: ['api', 'worker', 'web'],
    seen,
    database: { accepts: true, detail: 'accepts connections' },
    freeBytes: 9e9,
    neededBytes: 5e9,
  }
  const changed = (service: string, changes: object) =>
    seen.map((it) => (it.service === service ? { ...it, ...changes } : it))

  test.each([
    [{}, 'every container ran, the database accepts connections: the application itself hung'],
    [{ database: { accepts: false, detail: 'does not answer' } }, 'the database is the matter: it does not answer'],
    [{ seen: changed('api', { state: 'restarting' }) }, 'api did not run, the database accepts connections'],
    [{ seen: seen.slice(1) }, 'api did not run'],
    [
      { seen: seen.map((it) => ({ ...it, state: 'exited' })), stoppedBy: 'emergency-shop-1' },
      'api, worker, web were stopped on purpose by emergency-shop-1, the database accepts connections:',
    ],
    [{ seen: seen.slice(1), stoppedBy: 'emergency-shop-1' }, 'api did not run'],
    [{ seen: changed('web', { health: 'unhealthy' }) }, 'web ran and was unhealthy'],
    [{ freeBytes: 1e6, database: { accepts: false, detail: 'does not answer' } }, 'the disk is full, 1 MB are free'],
    [{ freeBytes: Number.NaN, database: null }, 'every container ran: the application itself hung'],
  ])('%j comes to a verdict of its own', (changes, words) => {
    expect(verdictOf({ ...found, ...changes })).toMatch(new RegExp(`^${words}.*stepback emergency shop start$`))
  })
})
