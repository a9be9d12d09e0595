// Whether a person is asked, who that may be, and what happens where nobody answers.

import { durationMs } from './duration.js'
import { StepbackError } from './failure.js'
import type { ApprovalPolicy, Facts, Stack } from './facts.js'
import { sameName } from './gate.js'
import type { Approval, ApprovalTerms, Plan, RunKind } from './plan.js'
import type { ApprovalWish, Asked, Scope } from './request.js'

/** What a gate of some kind of run asks for, as the configuration says it. */
export interface ApprovalRule {
  /** Anybody where it is missing. */
  readonly approvers?: readonly string[] | undefined
  /** Of so many different people. */
  readonly approvals: number
  readonly notRequester: boolean
  readonly deadline: string
  readonly atDeadline: 'end' | 'go-on'
}

type Partly<T> = { readonly [K in keyof T]?: T[K] | undefined }

export interface ApprovalSettings extends ApprovalRule {
  readonly deploy: ApprovalPolicy
  readonly rollback: ApprovalPolicy
  /** What is different for deploys, or for rollbacks of one scope. */
  readonly scopes: { readonly [S in 'deploy' | Scope]?: Partly<ApprovalRule & { policy: ApprovalPolicy }> | undefined }
}

/** What holds for deploys, for rollbacks of that scope, or for what asks nobody: backups, and emergencies. */
export function approvalRule(
  settings: ApprovalSettings,
  scope: Exclude<RunKind, 'rollback'> | Scope,
): ApprovalRule & { readonly policy: ApprovalPolicy } {
  const { deploy, rollback, scopes, ...rule } = settings
  if (scope === 'backup' || scope === 'emergency') return { ...rule, policy: 'never' }
  return { ...rule, policy: scope === 'deploy' ? deploy : rollback, ...given(scopes[scope] ?? {}) }
}

/** A request may ask for more than the policy says, never for less. */
export function decideApproval(input: {
  readonly rule: ReturnType<typeof approvalRule>
  /** Who has a public key, and therefore signs. */
  readonly signers: Stack['signers']
  readonly wish: ApprovalWish
  /** Why data would be lost, or null. */
  readonly loss: string | null
  readonly asked: Pick<Asked, 'target' | 'requestedBy'>
}): Approval {
  const { rule, wish, loss, asked } = input
  const dataLoss = loss !== null
  const required = rule.policy === 'always' || (rule.policy === 'data-loss' && dataLoss)
  if (wish === 'never' && rule.policy !== 'never') {
    throw new StepbackError({
      type: 'Refused',
      message: `approval "never" is weaker than the policy "${rule.policy}" of target "${asked.target}"`,
      hint: 'leave approval out, or change the policy in the configuration.',
    })
  }
  const terms = termsOf(rule, input.signers, asked)
  if (required || wish === 'always') ensureSomebodyMay(terms, asked.target)
  if (wish === 'always') return { required: true, dataLoss, why: loss ?? 'the request asks for it', terms }
  const why = required ? (loss ?? 'the policy asks for it') : 'the policy asks for none'
  return { required, dataLoss, why, terms }
}

/** How long the gates of a run stay open. */
export function deadlines(
  { stack }: Pick<Facts, 'stack'>,
  scope: Parameters<typeof approvalRule>[1],
): Plan['deadlines'] {
  return {
    approvalMs: durationMs(approvalRule(stack.approval, scope).deadline),
    operatorMs: stack.operatorDeadlineMs,
  }
}

function termsOf(
  { policy, approvers, approvals, notRequester, atDeadline }: ReturnType<typeof approvalRule>,
  signers: readonly string[],
  { target, requestedBy }: Pick<Asked, 'target' | 'requestedBy'>,
): ApprovalTerms {
  if (notRequester && requestedBy === undefined && policy !== 'never') {
    throw new StepbackError({
      type: 'Refused',
      message: `nothing says who asks for this run, and target "${target}" wants somebody else to approve it`,
      hint: 'name the requester with requestedBy.',
    })
  }
  return {
    approvals,
    signers: signers.filter((signer) => !approvers || approvers.some((name) => sameName(name, signer))),
    atDeadline,
    ...(approvers ? { approvers } : {}),
    ...(notRequester && requestedBy !== undefined ? { not: requestedBy } : {}),
  }
}

/** A gate that nobody could open would only be found out at its deadline. */
function ensureSomebodyMay({ approvers, approvals, not }: ApprovalTerms, target: string): void {
  if (!approvers) return
  const may = approvers.filter((name) => not === undefined || !sameName(name, not))
  if (may.length >= approvals) return
  throw new StepbackError({
    type: 'Refused',
    message: `${approvals} of ${approvers.join(', ')} have to approve on target "${target}", and not "${not}", who asks`,
    hint: 'let somebody else ask for it, or name more approvers in the configuration.',
  })
}

function given<T extends object>(some: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(some).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
