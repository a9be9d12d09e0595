import { describe, expect, test } from 'vitest'
import { type Ended, auditedPlan } from '../../src/plan/audit.js'
import { type Incident, incidentLine, incidentName, incidentNote, isIncident } from '../../src/plan/incident.js'
import { candidate, exposure, rollbackPlan } from '../support/plans.js'

const plan = rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) }))

const ended: Ended = {
  kind: 'ended',
  asked: { kind: 'rollback', requestedBy: 'ada', reason: 'error rate up', severity: 'failure' },
  outcome: 'done',
  message: null,
  startedAt: '2026-11-23T14:15:30.250Z',
  steps: [
    {
      name: 'stopServices',
      title: 'stop api, web',
      state: 'done',
      attempts: 1,
      startedAt: null,
      finishedAt: null,
      detail: 'api',
    },
  ],
  gates: [],
  health: [
    { check: 'api', healthy: true, detail: 'ok' },
    { check: 'web', healthy: false, detail: 'no answer' },
  ],
  restorePoint: plan.safety,
  left: [],
}

function incident(changes: Partial<Incident> = {}): Incident {
  return {
    target: 'shop',
    run: { workflowId: 'rollback-shop-1', runId: '01923abc-0000-7000-8000-00003fa94c21' },
    kind: 'rollback',
    asked: ended.asked,
    plan: auditedPlan(plan),
    answers: [{ at: '2026-11-23T14:15:40Z', kind: 'approve', by: 'bob', comment: null, refused: null }],
    outcome: 'done',
    at: '2026-11-23T14:16:02Z',
    ended,
    ...changes,
  }
}

test('a note says what, why, how bad, how far, when, who, and what came of it', () => {
  const lines = incidentNote(incident()).split('\n')
  expect(lines[0]).toBe('# Rollback of shop: done')
  expect(lines).toEqual(
    expect.arrayContaining([
      '- severity: failure',
      '- why: error rate up',
      '- asked for by: ada',
      '- approved by: bob',
      '- scope: full',
      `- destination: ${plan.restorePoint!}`,
      '- could lose: 412 rows',
      '- began: 2026-11-23T14:15:30.250Z',
      '- ended: 2026-11-23T14:16:02Z, after 31.8 s',
      '- ✔ stop api, web (done): api',
      '- ✔ api: ok',
      '- ✘ web: no answer',
      `Undo it: \`stepback rollback shop --to ${plan.safety}\`.`,
      'All of it: `stepback report rollback-shop-1`.',
    ]),
  )
})

test('the note of a rollback of one part says how that part is undone, and of one that was undone nothing', () => {
  const part = auditedPlan({ ...plan, undo: { scope: 'containers', services: ['api', 'web'] } })
  expect(incidentNote(incident({ plan: part }))).toContain(
    `Undo it: \`stepback rollback shop --scope containers --services api,web --to ${plan.safety}\`.`,
  )
  const undone = incident({ outcome: 'undone', ended: { ...ended, outcome: 'undone' } })
  expect(incidentNote(undone)).not.toContain('stepback rollback')
  const left = incident({ outcome: 'not-undone', ended: { ...ended, outcome: 'not-undone' } })
  expect(incidentNote(left)).toContain(`Back to what was before it: \`stepback rollback shop --to ${plan.safety}\`.`)
})

test('one of a run that never came to its end says what became of it, and what nobody said', () => {
  const settled = incident({ outcome: 'undone', settledBy: 'deploy-shop-2', ended: null, asked: null, answers: [] })
  const note = incidentNote(settled)
  expect(note).toContain('# Rollback of shop: ended without an end; undone by deploy-shop-2\n')
  expect(note).toContain('- severity: not said\n- why: not said\n- asked for by: nobody who gave a name\n')
  expect(note).not.toMatch(/undefined|null|approved by|## /)
})

test('what people and hosts wrote makes no line, no heading, no link and no code of its own', () => {
  const nasty = '`x`\n# heading\n[a](b) <script> \u001b[31m|\u2028*'
  const asked = { ...ended.asked, reason: nasty, requestedBy: nasty, severity: nasty }
  const steps = ended.steps.map((step) => ({ ...step, title: nasty, detail: nasty }))
  const left = { ...ended, message: nasty, steps, left: [nasty] }
  const run = { workflowId: nasty, runId: 'x' }
  const note = incidentNote(incident({ run, asked, ended: left }))
  const text = note.replace(/^All of it: .*$/m, '')
  expect(text).not.toMatch(/^ *# heading|<script>|[^\n\P{Cc}]|\u2028|[^\\]`x|[^\\]\[a/mu)
  expect(note).toMatch(/^All of it: `stepback report '[^`\n]*'`\.$/m)
  expect(incidentNote(incident({ asked: { ...asked, reason: 'x'.repeat(9_000) } })).length).toBeLessThan(4_000)
})

describe('the name of a note', () => {
  test('is one for every attempt, another for every run, and a plain one', () => {
    expect(incidentName(incident())).toBe('incident_20261123T141602Z_rollback_3fa94c21.md')
  })
})

test('a line names kind, scope and version, where they are known', () => {
  expect(incidentLine(incident())).toBe(`rollback full ${plan.version}: done`)
  expect(incidentLine(incident({ plan: null, outcome: 'refused' }))).toBe('rollback: refused')
  const asked = { ...ended.asked, scope: 'config' }
  expect(incidentLine(incident({ asked, plan: null, outcome: 'refused' }))).toBe('rollback config: refused')
})

test.each([
  ['rollback', 'done', true],
  ['rollback', 'refused', false],
  ['rollback', 'rejected', true],
  ['emergency', 'done', true],
  ['deploy', 'done', false],
  ['deploy', 'refused', false],
  ['deploy', 'undone', true],
  ['deploy', 'not-undone', true],
  ['backup', 'undone', false],
  ['guard', 'done', false],
] as const)('a %s that is %s: %s', (kind, outcome, is) => {
  expect(isIncident({ kind, outcome })).toBe(is)
})

test('a deploy that never came to its end is one', () => {
  expect(isIncident({ kind: 'deploy', outcome: 'accepted', settledBy: 'deploy-shop-2' })).toBe(true)
})
