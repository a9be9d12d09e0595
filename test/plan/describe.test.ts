import { describe, expect, test } from 'vitest'
import { describeProgress, heading, stepDuration } from '../../src/plan/describe.js'
import { malformed } from '../../src/plan/gate.js'
import { describeMs, durationMs } from '../../src/plan/duration.js'
import { canonical } from '../../src/plan/plan.js'
import { type Progress, newProgress, pending, showPlan } from '../../src/plan/progress.js'
import { candidate, exposure, rollbackPlan } from '../support/plans.js'

const at = '2026-11-23T14:00:00.000Z'

function progress(changes: Partial<Progress> = {}): Progress {
  const shown = newProgress({ kind: 'rollback', target: 'shop', at })
  showPlan(shown, rollbackPlan(undefined, undefined, candidate({ exposure: exposure(412) })))
  return { ...shown, ...changes }
}

describe('the details of a run', () => {
  test('say what it is, its plan, its digest, what it would lose, and each step', () => {
    const text = describeProgress(progress(), 'rollback-shop')
    expect(text.split('\n')[0]).toBe('**rollback of shop (full) to 20261123T100000Z-2.0.0** · planning')
    expect(text).toContain('strategy **restore**')
    expect(text).toMatch(/digest `sha256:[0-9a-f]{64}`/)
    expect(text).toContain('**412 rows would be lost:**')
    expect(text).toContain('| orders | 412 | 0 | 0 | 2026-11-23T14:02:11.500Z | exact |')
    expect(text).toContain('| · | take a restore point of files and images at 2.1.0 | pending |  |  |')
  })

  test('give the command that undoes a run that is done, as it is typed', () => {
    const steps = progress().steps.map((it) => ({ ...it, state: 'done' as const }))
    const text = describeProgress(progress({ phase: 'done', steps }), 'rollback-shop')
    expect(text).toContain('\n\n    undo it: stepback rollback shop --to 20261123T140211Z-2.1.0\n')
    expect(describeProgress(progress({ phase: 'undone', steps }), 'rollback-shop')).not.toContain('undo it')
  })

  test('give the command that answers an open gate, with the digest of the plan', () => {
    const gate = { asks: 'approve', why: '412 rows', until: '' } as const
    const shown = progress({ gate })
    expect(describeProgress(shown, 'rollback-shop')).toContain(
      `    stepback approve rollback-shop --by YOU --digest ${shown.plan!.digest.slice(7, 15)}`,
    )
    const resolves = describeProgress(progress({ gate: { ...gate, asks: 'resolve' } }), 'r')
    expect(resolves).toContain('    stepback resolve r --by YOU --action retry|skip|abort')
    expect(resolves).toContain('    {"by": "YOU", "action": "retry"}')
  })

  test('give the answer for the form of the Web UI, which an approval takes as it stands', () => {
    const gate = { asks: 'approve', why: '412 rows', until: '' } as const
    const text = describeProgress(progress({ gate }), 'rollback-shop')
    const [, json] = /Send an Update, approve:\n\n {4}(.*)/.exec(text)!
    expect(json).toBe(`{"by": "YOU", "digest": "${progress().plan!.digest.slice(7, 15)}"}`)
    expect(malformed('approve', JSON.parse(json!))).toBeUndefined()
  })

  test('say what the gate needs, who approved, what has to be signed, and which answers did not count', () => {
    const signs = `stepback approve rollback-shop 6f1c 1 ${progress().plan!.digest}`
    const gate = {
      asks: 'approve',
      why: 'x',
      until: '',
      needs: '2 approvals of ann, bob',
      approvedBy: ['ann'],
      signs,
    } as const
    const refused = {
      at,
      kind: 'approve',
      by: '<b>eve</b>',
      comment: null,
      refused: 'by: "<b>eve</b>" may not',
    } as const
    const text = describeProgress(progress({ gate, answers: [{ ...refused, by: 'ann', refused: null }, refused] }), 'r')
    expect(text).toContain('needs 2 approvals of ann, bob; approved by ann')
    expect(text).toContain(' --key YOUR.pem')
    expect(text).toContain(`    ${signs}`)
    expect(text).toContain('refused: approve by \\<b\\>eve\\</b\\>: by: "\\<b\\>eve\\</b\\>" may not')
  })

  test('give a command that is safe to copy, whatever the run is called', () => {
    const gate = { asks: 'resolve', why: 'x', until: '' } as const
    expect(describeProgress(progress({ gate }), "x'; rm -rf ~ #\n# title")).toContain(
      `    stepback resolve 'x'\\''; rm -rf ~ # # title' --by YOU`,
    )
  })

  test('show text of others, and never interpret it', () => {
    const nasty = 'a|b\n# c <img src=x> [link](http://x) `code` *bold* \u001b[31m'
    const step = { ...pending('putFiles', nasty), detail: nasty }
    const text = describeProgress(
      progress({ target: nasty, steps: [step], gate: { asks: 'resolve', why: nasty, until: '' } }),
      'r',
    )
    expect(text).not.toMatch(/[^\\]<img/)
    expect(text).not.toContain('\u001b')
    expect(text).toContain('a\\|b \\# c \\<img src=x\\> \\[link\\](http://x) \\`code\\` \\*bold\\*')
    const table = text.split('\n').filter((line) => line.startsWith('| ·'))
    expect(table).toHaveLength(1)
  })

  test('of a run that is not planned yet have neither plan nor steps', () => {
    expect(describeProgress(newProgress({ kind: 'deploy', target: null, at }), 'r').trim()).toBe(
      '**deploy of an unknown target** · planning',
    )
  })
})

test('a plan that is shown anew has only pending steps', () => {
  const shown = progress()
  shown.steps[0]!.state = 'done'
  showPlan(shown, rollbackPlan())
  expect(shown.steps.every((step) => step.state === 'pending')).toBe(true)
  expect(heading(shown)).toContain('(full)')
})

test('a step that is not finished took no time', () => {
  const step = { ...pending('x', 'x'), startedAt: at }
  expect(stepDuration(step)).toBe('')
  expect(stepDuration({ ...step, finishedAt: '2026-11-23T14:00:04.200Z' })).toBe('4.2 s')
})

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('%s is %i ms', (text, ms) => expect(durationMs(text)).toBe(ms))

  test.each(['', '30', '1.5h', '-1s', '5 m', '1h30m'])('%j is none', (text) => {
    expect(() => durationMs(text)).toThrow(`"${text}" is no duration; expected one like "30s"`)
  })

  test.each([
    [840, '840 ms'],
    [4_200, '4.2 s'],
    [190_000, '3 min 10 s'],
    [7_500_000, '2 h 5 min'],
  ])('%i ms are read as %s', (ms, text) => expect(describeMs(ms)).toBe(text))
})

test('canonical text does not depend on the order of keys, and leaves out what is undefined', () => {
  expect(canonical({ b: [2, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[2,{"d":1}]}')
})
