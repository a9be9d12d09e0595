// What ends a pause. Hand-written checks, since these run inside workflow code, where no schema library belongs.

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

export type Answer =
  | { readonly kind: 'approve'; readonly by: string; readonly comment: string | null }
  | { readonly kind: 'reject'; readonly by: string; readonly comment: string | null }
  | {
      readonly kind: 'resolve'
      readonly by: string
      readonly action: Resolve['action']
      readonly comment: string | null
    }

/** A digest may be shortened to its first 8 hex digits, with or without the name of the hash. */
export function isDigestOf(given: string, digest: string): boolean {
  const hex = given.replace(/^sha256:/, '')
  return /^[0-9a-f]{8,64}$/.test(hex) && digest.replace(/^sha256:/, '').startsWith(hex)
}

/** Why this input is no answer of that kind, or nothing. */
export function malformed(kind: Answer['kind'], input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'expected one JSON object'
  const given = input as Record<string, unknown>
  const unknown = Object.keys(given).find((key) => !keys[kind].includes(key))
  if (unknown !== undefined) return `unknown key "${unknown}"; known: ${keys[kind].join(', ')}`
  const wrong = keys[kind].find((key) => given[key] !== undefined && !isShortText(given[key]))
  if (wrong !== undefined) return `${wrong}: expected a text of 1 to 2000 characters`
  if (given['by'] === undefined) return 'by: missing; it says who answers'
  if (kind === 'resolve' && !['retry', 'skip', 'abort'].includes(given['action'] as string)) {
    return 'action: expected "retry", "skip" or "abort"'
  }
  return undefined
}

/** Why this approval does not open the gate of that plan, or nothing. */
export function refusedApproval(
  input: Approve,
  plan: { readonly digest: string; readonly dataLoss: boolean },
): string | undefined {
  if (input.digest === undefined) {
    return plan.dataLoss ? `digest: missing; data would be lost, so name the plan: ${plan.digest}` : undefined
  }
  return isDigestOf(input.digest, plan.digest) ? undefined : `digest: this plan's is ${plan.digest}`
}

const keys: Readonly<Record<Answer['kind'], readonly string[]>> = {
  approve: ['by', 'digest', 'comment', 'signature'],
  reject: ['by', 'comment'],
  resolve: ['by', 'action', 'comment'],
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 2_000
}
