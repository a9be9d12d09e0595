// What ends a pause. Hand-written checks, since these run inside workflow code, where no schema library belongs.

import type { ApprovalTerms } from './plan.js'

export interface Approve {
  readonly by: string
  readonly digest?: string
  readonly comment?: string
  readonly signature?: string
}

export interface Reject {
  readonly by: string
  readonly comment?: string
}

export interface Resolve {
  readonly by: string
  readonly action: 'retry' | 'skip' | 'abort'
  readonly comment?: string
}

export type Given = Approve | Reject | Resolve

export type Answer =
  | { readonly kind: 'approve'; readonly by: string; readonly comment: string | null }
  | { readonly kind: 'reject'; readonly by: string; readonly comment: string | null }
  | {
      readonly kind: 'resolve'
      readonly by: string
      readonly action: Resolve['action']
      readonly comment: string | null
    }

/** An answer that reached a gate, whether it counted or not. */
export interface HeardAnswer {
  readonly at: string
  readonly kind: Answer['kind']
  /** A claim, but where it is signed. Null where it could not be read, or nobody answered in time. */
  readonly by: string | null
  readonly comment: string | null
  /** What an approval was of. */
  readonly digest?: string
  readonly action?: Resolve['action']
  readonly signed?: true
  /** Why it changed nothing; null where it counted. */
  readonly refused: string | null
}

/** A digest may be shortened to its first 8 hex digits, with or without the name of the hash. */
export function isDigestOf(given: string, digest: string): boolean {
  const hex = given.replace(/^sha256:/, '')
  return /^[0-9a-f]{8,64}$/.test(hex) && digest.replace(/^sha256:/, '').startsWith(hex)
}

/** Whether two names are one person's: nobody counts twice for a capital letter. */
export function sameName(one: string, other: string): boolean {
  return folded(one) === folded(other)
}

function folded(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

/** Why this input is no answer of that kind, or nothing. */
export function malformed(kind: Answer['kind'], input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'expected one JSON object'
  const given = input as Record<string, unknown>
  const unknown = Object.keys(given).find((key) => !keys[kind].includes(key))
  if (unknown !== undefined) return `unknown key "${shown(unknown)}"; known: ${keys[kind].join(', ')}`
  if (given['by'] === undefined) return 'by: missing; it says who answers'
  if (!isText(given['by'], 200) || controls.test(given['by'])) {
    return 'by: expected a name of 1 to 200 characters, none of them a control character'
  }
  const wrong = keys[kind].find((key) => given[key] !== undefined && !isText(given[key], 2_000))
  if (wrong !== undefined) return `${wrong}: expected a text of 1 to 2000 characters`
  if (kind === 'resolve' && !['retry', 'skip', 'abort'].includes(given['action'] as string)) {
    return 'action: expected "retry", "skip" or "abort"'
  }
  return undefined
}

/** Why this approval does not count at that gate, or nothing. Whether a signature is right is not asked here. */
export function refusedApproval(
  input: Approve,
  gate: {
    readonly digest: string
    readonly dataLoss: boolean
    /** Missing in plans of earlier versions, which anybody may approve. */
    readonly terms?: ApprovalTerms | undefined
    readonly approvedBy?: readonly string[]
  },
): string | undefined {
  const { digest, terms, approvedBy = [] } = gate
  if (input.digest === undefined) {
    if (gate.dataLoss) return `digest: missing; data would be lost, so name the plan: ${digest}`
  } else if (!isDigestOf(input.digest, digest)) return `digest: this plan's is ${digest}`
  if (approvedBy.some((name) => sameName(name, input.by))) return `"${input.by}" approved it already`
  return terms && (whoIsRefused(input, terms) ?? unsigned(input, terms))
}

function whoIsRefused({ by }: Approve, { approvers, not }: ApprovalTerms): string | undefined {
  if (approvers && !approvers.some((name) => sameName(name, by)))
    return `by: "${by}" may not approve; ${approvers.join(', ')} may`
  return not !== undefined && sameName(not, by)
    ? `by: "${by}" asked for this run, so somebody else approves it`
    : undefined
}

/** A signature that nobody can check must not look like one. */
function unsigned({ by, signature }: Approve, terms: ApprovalTerms): string | undefined {
  const signs = mustSign(terms, by)
  if (signs && signature === undefined) return `signature: missing; "${by}" has a public key in the configuration`
  if (!signs && signature !== undefined) return `signature: "${by}" has no public key in the configuration`
  return undefined
}

export function mustSign(terms: ApprovalTerms | undefined, by: string): boolean {
  return terms?.signers.some((name) => sameName(name, by)) ?? false
}

/**
 * What a signature is over, but for a blank and the name at its end. It names run and gate, so that it opens nothing
 * else: a later run may have the same plan, and a later gate of this one may lose more.
 */
export function approvalText(of: {
  readonly run: string
  readonly runId: string
  readonly gate: number
  readonly digest: string
}): string {
  return `stepback approve ${of.run} ${of.runId} ${of.gate} ${of.digest}`
}

/** `2 approvals of ada, bob, not of eve, who asked for it`; empty where one of anybody is enough. */
export function describeTerms({ approvals, approvers, not, signers }: ApprovalTerms): string {
  const of = approvers ? ` of ${approvers.join(', ')}` : ''
  return [
    ...(approvals > 1 || approvers ? [`${approvals} approval${approvals > 1 ? 's' : ''}${of}`] : []),
    ...(not === undefined ? [] : [`not of ${not}, who asked for it`]),
    ...(signers.length > 0 ? [`signed by ${signers.join(', ')}`] : []),
  ].join(', ')
}

const keys: Readonly<Record<Answer['kind'], readonly string[]>> = {
  approve: ['by', 'digest', 'comment', 'signature'],
  reject: ['by', 'comment'],
  resolve: ['by', 'action', 'comment'],
}

/** What a terminal or a page would obey, marks that turn the direction of writing included. */
const controls = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

function isText(value: unknown, limit: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= limit
}

function shown(key: string): string {
  return key.length > 40 ? `${key.slice(0, 40)}…` : key
}
