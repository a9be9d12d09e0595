import type { Step } from './act.js'
import type { Strategy } from './request.js'

/** The ordered steps of one run, as recorded in history, in the ledger, and shown to whoever approves it. */
export interface Plan {
  /** `sha256:…` over request, restore point, strategy, steps and their arguments. */
  readonly digest: string
  readonly kind: RunKind | 'adoption'
  readonly target: string
  readonly scope?: string
  /** What runs afterwards. */
  readonly version: string
  readonly strategy?: Strategy
  /** Why this strategy, this restore point, or nothing at all. */
  readonly because: string
  /** What a rollback goes back to. */
  readonly restorePoint?: string
  /** The restore point that this run takes: going back to it undoes the run. */
  readonly safety: string
  readonly exposure?: Exposure
  readonly steps: readonly Step[]
  readonly approval: Approval
  /** Nothing differs from what was asked for. */
  readonly already: boolean
  /** What ran when the plan was made; an undo is checked against it. */
  readonly before: { readonly version: string | null; readonly head: string | null }
  readonly deadlines: { readonly approvalMs: number; readonly operatorMs: number }
}

export type RunKind = 'deploy' | 'rollback'

export interface Approval {
  readonly required: boolean
  readonly dataLoss: boolean
  readonly why: string
}

/** What going back would lose: rows by table, and how each figure was come by. */
export interface Exposure {
  readonly total: number
  readonly tables: readonly ExposedTable[]
}

export interface ExposedTable {
  readonly table: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly newest: string | null
  readonly method: string
}

/** The text whose hash is the digest: keys sorted, and nothing in it that moves with the clock. */
export function digestText(plan: Omit<Plan, 'digest'>, request: object): string {
  const { kind, target, scope, version, strategy, restorePoint, steps } = plan
  const { reason: _reason, requestedBy: _requestedBy, dryRun: _dryRun, ...asked } = request as Record<string, unknown>
  return canonical({ asked, kind, target, scope, version, strategy, restorePoint, steps })
}

/** JSON with sorted keys and without `undefined`, the same for the same value. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
