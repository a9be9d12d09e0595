// Whether a person is asked, who that may be, and which answers count.

import { describe, expect, test } from 'vitest'
import { type ApprovalSettings, approvalRule, decideApproval } from '../../src/plan/approval.js'
import { approvalText, describeTerms, refusedApproval } from '../../src/plan/gate.js'
import type { ApprovalTerms } from '../../src/plan/plan.js'
import type { ApprovalWish } from '../../src/plan/request.js'
import { afterDeploy, rollbackPlan, rollbackRequest, stack } from '../support/plans.js'

const digest = `sha256:${'3fa94c21'.repeat(8)}`

function decide(input: {
  readonly settings?: Partial<ApprovalSettings>
  readonly wish?: ApprovalWish
  readonly loss?: string | null
  readonly requestedBy?: string
}) {
  const { settings = {}, wish = 'policy', loss = null, requestedBy } = input
  const rule = approvalRule({ ...stack.approval, ...settings }, 'full')
  return decideApproval({ rule, signers: [], wish, loss, asked: { target: 'shop', requestedBy } })
}

describe('an approval', () => {
  test.each([
    ['never', 'policy', null, false],
    ['never', 'policy', 'rows', false],
    ['never', 'never', 'rows', false],
    ['never', 'always', null, true],
    ['data-loss', 'policy', null, false],
    ['data-loss', 'policy', 'rows', true],
    ['data-loss', 'always', null, true],
    ['always', 'policy', null, true],
    ['always', 'always', 'rows', true],
  ] as const)(
    'under the policy %s with the wish %s and the loss %s is required: %s',
    (rollback, wish, loss, required) => {
      expect(decide({ settings: { rollback }, wish, loss })).toMatchObject({ required, dataLoss: loss !== null })
    },
  )

  test.each(['data-loss', 'always'] as const)('cannot be waived under the policy %s', (rollback) => {
    expect(() => decide({ settings: { rollback }, wish: 'never' })).toThrow(
      expect.objectContaining({
        type: 'Refused',
        message: expect.stringContaining(`weaker than the policy "${rollback}" of target "shop"`),
      }),
    )
  })

  test('that another person than an unknown requester has to give refuses the run', () => {
    const settings = { notRequester: true }
    expect(() => decide({ settings })).toThrow('nothing says who asks for this run')
    expect(decide({ settings, requestedBy: 'ann' }).terms).toMatchObject({ not: 'ann' })
    expect(decide({ settings: { ...settings, rollback: 'never' } }).terms).not.toHaveProperty('not')
  })

  test('that nobody could give refuses the run, and not only at its deadline', () => {
    const settings = { notRequester: true, approvers: ['ann', 'bob'], approvals: 2 }
    expect(() => decide({ settings, loss: 'rows', requestedBy: 'Ann' })).toThrow('and not "Ann", who asks')
    expect(decide({ settings, loss: 'rows', requestedBy: 'eve' }).required).toBe(true)
    expect(decide({ settings, requestedBy: 'ann' }).required).toBe(false)
  })
})

describe('what the configuration says of approvals', () => {
  const settings: ApprovalSettings = {
    ...stack.approval,
    approvers: ['ann'],
    scopes: {
      deploy: { deadline: '1h', approvers: undefined },
      database: { policy: 'always', approvals: 2, approvers: ['ann', 'bob'], atDeadline: 'go-on' },
    },
  }

  test('holds for every scope that has nothing of its own', () => {
    expect(approvalRule(settings, 'full')).toMatchObject({ policy: 'data-loss', approvals: 1, approvers: ['ann'] })
    expect(approvalRule(settings, 'deploy')).toMatchObject({ policy: 'never', deadline: '1h', approvers: ['ann'] })
  })

  test('gives way to what one scope says', () => {
    expect(approvalRule(settings, 'database')).toMatchObject({
      policy: 'always',
      approvals: 2,
      approvers: ['ann', 'bob'],
      deadline: '24h',
      atDeadline: 'go-on',
    })
  })

  test('asks nobody about a backup', () => {
    expect(approvalRule({ ...settings, deploy: 'always', rollback: 'always' }, 'backup').policy).toBe('never')
  })

  test('is in the plan of a rollback of that scope, deadline included', () => {
    const scopes = { full: { policy: 'always', approvals: 2, deadline: '2h' } } as const
    const seen = afterDeploy({ stack: { ...stack, signers: ['ann'], approval: { ...stack.approval, scopes } } })
    const { approval, deadlines } = rollbackPlan(rollbackRequest({ requestedBy: 'bob' }), seen)
    expect(approval).toMatchObject({ required: true, terms: { approvals: 2, signers: ['ann'], atDeadline: 'end' } })
    expect(deadlines.approvalMs).toBe(2 * 3_600_000)
  })
})

describe('an approval at a gate', () => {
  const terms: ApprovalTerms = {
    approvals: 2,
    approvers: ['ann', 'bob', 'eve'],
    not: 'eve',
    signers: ['bob'],
    atDeadline: 'end',
  }
  const gate = { digest, dataLoss: true, terms, approvedBy: [] as string[] }

  test.each([
    ['of a person who may', { by: 'ann' }, undefined],
    ['of a person who may not', { by: 'mallory' }, 'by: "mallory" may not approve; ann, bob, eve may'],
    ['of who asked for the run', { by: 'EVE ' }, 'by: "EVE " asked for this run, so somebody else approves it'],
    ['of who signs, with a signature', { by: 'bob', signature: 'x' }, undefined],
    ['of who signs, without one', { by: 'Bob' }, 'signature: missing; "Bob" has a public key in the configuration'],
    [
      'with a signature that nobody can check',
      { by: 'ann', signature: 'x' },
      'signature: "ann" has no public key in the configuration',
    ],
  ])('%s: %j', (_whose, input, refused) => {
    expect(refusedApproval({ ...input, digest }, gate)).toBe(refused)
  })

  test('counts once for a person, however the name is written', () => {
    expect(refusedApproval({ by: ' Ann', digest }, { ...gate, approvedBy: ['ann'] })).toBe('" Ann" approved it already')
  })

  test('of a plan of an earlier version may be anybody', () => {
    expect(refusedApproval({ by: 'mallory', digest }, { digest, dataLoss: true })).toBeUndefined()
  })
})

test('a gate says what it needs, and nothing where one approval of anybody is enough', () => {
  const anybody: ApprovalTerms = { approvals: 1, signers: [], atDeadline: 'end' }
  expect(describeTerms(anybody)).toBe('')
  expect(describeTerms({ ...anybody, approvals: 2, approvers: ['ann', 'bob'], not: 'eve', signers: ['bob'] })).toBe(
    '2 approvals of ann, bob, not of eve, who asked for it, signed by bob',
  )
})

test('what is signed names run, gate and plan', () => {
  expect(approvalText({ run: 'rollback-shop-1', runId: '6f1c', gate: 2, digest })).toBe(
    `stepback approve rollback-shop-1 6f1c 2 ${digest}`,
  )
})
