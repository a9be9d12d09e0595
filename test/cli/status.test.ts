import { expect, test } from 'vitest'
import { renderFindings } from '../../src/cli/doctor/render.js'
import { findingOf } from '../../src/cli/doctor/finding.js'
import { renderSituation } from '../../src/cli/status/render.js'
import type { Situation } from '../../src/cli/status/situation.js'
import { StepbackError } from '../../src/plan/failure.js'
import { at, plain } from './support.js'

const calm: Situation = {
  target: 'aria',
  release: { version: '2.1.0', since: at(0), restorePoint: '20261123T140211Z-2.0.0' },
  answers: '2.1.0',
  health: [{ check: 'api', healthy: true, detail: 'status 200' }],
  lease: null,
  stopped: null,
  reserve: 'there',
  unreadable: [],
  restorePoints: [{ id: '20261123T140211Z-2.0.0', version: '2.0.0', state: 'warm' }],
  debts: [],
  guard: null,
  openRuns: [],
  unknown: [],
}

test('a calm target takes few lines', () => {
  expect(renderSituation(calm, plain)).toEqual([
    'aria  2.1.0 since 2026-11-23T14:02:00.000Z',
    '  health          ok: api',
    '  lease           free',
    '  restore points  20261123T140211Z-2.0.0 warm',
  ])
})

test('another version than the recorded one is seen', () => {
  expect(renderSituation({ ...calm, answers: '2.0.0' }, plain)[0]).toContain('; 2.0.0 answers')
})

test('a lease whose run has ended, its debt, and a gate are shown', () => {
  const lease = { workflowId: 'deploy-aria-1', kind: 'deploy', takenAt: at(0), closed: true }
  const debts = [{ workflowId: 'deploy-aria-1', startedSteps: 3, ask: null }]
  const gate = { asks: 'approve', why: '1 row would be lost', until: '' } as const
  const openRuns = [{ run: 'rollback-aria-2', phase: 'waiting-for-approval', gate }]
  expect(renderSituation({ ...calm, lease, debts, openRuns }, plain).slice(2)).toEqual([
    '  lease           deploy deploy-aria-1 since 2026-11-23T14:02:00.000Z, which has ended: the next run takes it over',
    '  restore points  20261123T140211Z-2.0.0 warm',
    '  debts           deploy-aria-1, 3 steps begun',
    '  open runs       rollback-aria-2 waiting-for-approval: 1 row would be lost',
    '                  answer it: stepback watch rollback-aria-2',
  ])
})

test('a stop on purpose, a missing reserve and a doubtful restore point are shown', () => {
  const stopped = { by: 'emergency-aria-1', since: at(0), ran: ['api', 'web'] }
  const restorePoints = [{ ...calm.restorePoints[0]!, doubt: 'its dump is suspiciously small' }]
  expect(renderSituation({ ...calm, stopped, reserve: 'missing', restorePoints }, plain).slice(1)).toEqual([
    '  stopped         on purpose by emergency-aria-1 since 2026-11-23T14:02:00.000Z: api, web; start it: stepback emergency aria start',
    '  health          ok: api',
    '  lease           free',
    '  restore points  20261123T140211Z-2.0.0 warm: its dump is suspiciously small',
    '  reserve         missing: no emergency could act on a disk without a byte left',
  ])
})

test('what could not be read is not shown as if it were nothing', () => {
  const unknown = [{ part: 'target', why: 'no route to host' }] as const
  const nothing = { release: null, answers: null, health: [], restorePoints: [], openRuns: null }
  expect(renderSituation({ ...calm, ...nothing, unknown }, plain)).toEqual([
    'aria  release unknown',
    '  open runs       unknown: Temporal does not answer',
    '  unknown         target: no route to host',
  ])
})

test('doctor shows what is bad with its hint', () => {
  const error = new StepbackError({ type: 'Refused', message: 'the host key is not known', hint: 'ssh-keyscan' })
  const findings = [{ check: 'docker', ok: true, detail: 'Docker Engine 28' }, findingOf('ssh', error)]
  expect(renderFindings([{ target: 'aria', findings }], plain)).toEqual([
    'aria',
    '  ok   docker  Docker Engine 28',
    '  bad  ssh     the host key is not known',
    '       hint: ssh-keyscan',
  ])
})
