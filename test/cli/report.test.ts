// What a report says of a run, and that text of others stays text in it.

import { describe, expect, test } from 'vitest'
import { renderPast, renderVerified } from '../../src/cli/history/render.js'
import { renderHtml } from '../../src/cli/report/html.js'
import { renderMarkdown } from '../../src/cli/report/markdown.js'
import { type Report, reportOfHistory, reportOfRecord } from '../../src/cli/report/report.js'
import type { RunHistory, Work } from '../../src/client/run-history.js'
import type { Ended } from '../../src/plan/audit.js'
import { type PastRun, pastRuns } from '../../src/plan/past-run.js'
import { deployPlan } from '../support/plans.js'
import { at, plain, progress, step } from './support.js'

const run = { workflowId: 'deploy-aria-1', runId: 'r1' }
const asked = { kind: 'deploy', requestedBy: 'ada', reason: '<script>alert(1)</script> | x' } as const
const ended: Ended = {
  kind: 'ended',
  asked,
  outcome: 'undone',
  message: 'migrations up: column is there twice; everything was put back',
  startedAt: at(0),
  steps: [step({ title: 'migrations up', state: 'undone', attempts: 2, startedAt: at(610), finishedAt: at(620) })],
  gates: [{ asks: 'approve', why: '3 rows would be lost', openedAt: at(5), closedAt: at(605) }],
  health: [{ check: 'api', healthy: true, detail: 'status 200' }],
  restorePoint: '20261123T140211Z-2.0.0',
  left: [],
}
const answer = { at: at(600), kind: 'approve', by: 'bob', comment: null, refused: null } as const
const refused = { ...answer, by: '\u001b[2Jeve', refused: 'by: "eve" may not approve' }
const records = [
  { at: at(300), entry: { kind: 'answer', run, answer: refused } },
  { at: at(600), entry: { kind: 'answer', run, answer } },
  { at: at(606), entry: { kind: 'debt', run, of: { workflowId: 'deploy-aria-0', runId: 'r0' }, how: 'undone' } },
  { at: at(625), entry: { ...ended, run } },
  { at: at(700), entry: { kind: 'begun', run: { workflowId: 'deploy-aria-2', runId: 'r2' }, asked, plan: null } },
]
const past = pastRuns(records)

describe('the past of a target', () => {
  test('puts what the record says of a run together, newest first', () => {
    expect(past.map((it) => [it.run, it.answers.length, it.ended?.outcome])).toEqual([
      ['deploy-aria-2', 0, undefined],
      ['deploy-aria-1', 2, 'undone'],
    ])
  })

  test('tells who asked, who approved, who was refused, which debt was paid and why it failed', () => {
    expect(renderPast(past[1]!, plain)).toEqual([
      '2026-11-23T14:07:00Z  deploy-aria-1  undone after 10 min 25 s',
      '  asked for by ada; approved by bob; <script>alert(1)</script> | x',
      '  refused: approve by \\x1b[2Jeve',
      '  the debt of deploy-aria-0 was undone',
      '  migrations up: column is there twice; everything was put back',
    ])
    expect(renderPast(past[0]!, plain)[0]).toContain('no end is recorded')
  })

  test('says what a comparison rests on', () => {
    const newest = { number: 7, sha256: '', run: 'deploy-aria-1' }
    expect(renderVerified({ entries: 9, anchors: 4, newest, findings: [] })).toEqual([
      '9 entries hold together; 4 heads in histories agree, the newest is entry 7, of deploy-aria-1',
    ])
    expect(renderVerified({ entries: 9, anchors: 0, newest: null, findings: [] })[0]).toContain('no history of a run')
    expect(renderVerified({ entries: 9, anchors: 4, newest, findings: ['entry 3 is missing'] })).toEqual([
      'entry 3 is missing',
    ])
  })
})

describe('a report', () => {
  const work = (changes: Partial<Work>): Work => ({
    name: 'migrateUp',
    title: '1/2 migrations up',
    startedAt: at(610),
    lastAttemptAt: at(615),
    endedAt: at(620),
    attempts: 3,
    outcome: 'failed',
    failure: 'column is there twice',
    ...changes,
  })
  const { gates, health, restorePoint } = ended
  const history: RunHistory = {
    run: 'deploy-aria-1',
    runId: 'r1',
    type: 'deployWorkflow',
    request: { target: 'aria', requestedBy: 'ada', reason: asked.reason },
    target: 'aria',
    startedAt: at(0),
    closedAt: at(625),
    plan: deployPlan(),
    before: [{ check: 'api', healthy: false, detail: 'status 503' }],
    work: [
      work({}),
      work({ name: 'keepLease' }),
      work({ title: 'undo: files', startedAt: at(621), endedAt: at(625), attempts: 1 }),
    ],
    result: { ...progress(), phase: 'undone', gates, health, restorePoint, durationMs: 1, answers: [refused, answer] },
    closedAs: 'Undone',
    message: ended.message,
    anchors: [],
  }
  const report: Report = reportOfHistory(history)

  test('draws steps, undos and gates to scale, with what earlier attempts took', () => {
    expect(report.bars.map((it) => [it.kind, it.startMs, it.lastMs, it.attempts])).toEqual([
      ['gate', Date.parse(at(5)), Date.parse(at(5)), 1],
      ['step', Date.parse(at(610)), Date.parse(at(615)), 3],
      ['undo', Date.parse(at(621)), Date.parse(at(621)), 1],
    ])
    const html = renderHtml(report)
    expect(html).toContain('<i class="tries" style="left:97.581%;width:0.806%"></i>')
    expect(html).toContain('<h2>Behind the last gate, 15.0 s</h2>')
    expect(html).toContain('<i class="tries" style="left:0.000%;width:33.333%"></i>')
  })

  test('needs nothing but itself, and shows text of others as text', () => {
    const html = renderHtml(report)
    expect(html).not.toMatch(/<script|<link|<img|https?:|url\(/)
    expect(html).not.toContain('\u001b')
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    const markdown = renderMarkdown(report)
    expect(markdown).toContain('\\<script\\>alert(1)\\</script\\> \\| x')
    expect(markdown).not.toContain('\u001b')
  })

  test('says of each check what it said before and afterwards', () => {
    expect(renderMarkdown(report)).toContain('| api | NOT healthy: status 503 | healthy: status 200 |')
    expect(renderMarkdown(reportOfRecord('aria', past[1] as PastRun))).toContain(
      '| api | not asked | healthy: status 200 |',
    )
  })

  test('is made from the audit record where no history is left', () => {
    const ofRecord = reportOfRecord('aria', past[1] as PastRun)
    expect(ofRecord.bars.map((it) => it.kind)).toEqual(['gate', 'step'])
    const markdown = renderMarkdown(ofRecord)
    for (const part of ['read from: audit record', '## Answers at gates', '## Health', 'asked for by: ada'])
      expect(markdown).toContain(part)
  })
})
