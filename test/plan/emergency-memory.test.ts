import { expect, test } from 'vitest'
import { describeMemory, shortOf } from '../../src/plan/emergency/memory.js'
import { emergencyFacts, emergencyPlan, emergencyRequest } from '../support/emergencies.js'
import { container } from '../support/plans.js'

const request = emergencyRequest({ procedure: 'out-of-memory', reason: 'the OOM killer was here' })
const rules = {
  service: 'worker',
  key: 'MODEL',
  value: 'small',
  services: ['api', 'worker'],
  availableBytes: 1e9,
  serviceBytes: 3e8,
  settleMs: 2_000,
}
const base = emergencyFacts()
const facts = { ...base, settings: { ...base.settings, memory: rules } }

test('the model server is restarted between two looks, and the smaller model is set only where memory is still short', () => {
  const plan = emergencyPlan(request, facts)
  expect(plan.steps.map(({ act }) => act.name)).toEqual([
    'measureMemory',
    'restartService',
    'measureMemory',
    'useSmallerModel',
    'checkHealth',
  ])
  expect(plan.steps.map(({ commit }) => commit)).toEqual([false, true, false, false, false])
  expect(plan.steps[3]!.act.title).toBe('where memory is still short, set MODEL=small and restart api, worker')
  expect(plan.steps[3]!.undo.map((act) => act.name)).toEqual(['putEnvironmentBack', 'startServices'])
  expect(plan.steps[3]!.act.args).toMatchObject({
    limits: { availableBytes: 1e9, serviceBytes: 3e8 },
    levels: [{ services: ['api'], wait: true }, { services: ['worker'] }],
  })
})

test('it is refused where the configuration names no model server, or one that is not there', () => {
  expect(() => emergencyPlan(request, base)).toThrow('name the model server and its smaller model in emergency.memory')
  const gone = { ...facts, containers: [container('api')] }
  expect(() => emergencyPlan(request, gone)).toThrow('service "worker" of target "shop" has no container')
})

test.each([
  [{ availableBytes: 9e8, serviceBytes: 1 }, '900 MB are available, fewer than 1000'],
  [{ availableBytes: 2e9, serviceBytes: 4e8 }, 'it uses 400 MB, more than 300'],
  [{ availableBytes: 2e9, serviceBytes: 2e8 }, null],
  [{ availableBytes: Number.NaN, serviceBytes: null }, null],
])('memory of %j is short as: %s', (seen, why) => {
  expect(shortOf({ totalBytes: 8e9, ...seen }, { availableBytes: 1e9, serviceBytes: 3e8 })).toBe(why)
})

test('what was measured is told in words, and what nobody can tell as well', () => {
  const seen = { availableBytes: 2e9, totalBytes: 8e9, serviceBytes: 4e8 }
  expect(describeMemory('worker', seen)).toBe('2000 MB of 8000 MB available; worker uses 400 MB')
  expect(describeMemory('worker', { ...seen, availableBytes: Number.NaN, serviceBytes: null })).toBe(
    'nobody can tell what is available',
  )
})
