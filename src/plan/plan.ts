import type { Step } from './act.js'
import { type Carry, describeCarry } from './carry.js'
import { type KeyChanges, describeKeys } from './keys.js'
import type { Counters } from './manifest.js'
import type { Strategy } from './request.js'
import type { Part } from './undo.js'

/** The ordered steps of one run, as recorded in history, in the ledger, and shown to whoever approves it. */
export interface Plan {
  /** `sha256:…` over request, restore point, strategy, steps and their arguments. */
  readonly digest: string
  readonly kind: RunKind | 'adoption' | 'rehearsal'
  readonly target: string
  readonly scope?: string
  /** What runs afterwards. */
  readonly version: string
  /** What the version check should answer then, where it is not `version`; null where nobody can tell. */
  readonly answers?: string | null
  readonly strategy?: Strategy
  /** Every strategy and how it stands, where the database goes back. */
  readonly strategies?: readonly StrategyVerdict[]
  /** Why this strategy, this restore point, or nothing at all. */
  readonly because: string
  /** What a rollback goes back to. */
  readonly restorePoint?: string
  /** The restore point that this run takes: going back to it undoes the run. */
  readonly safety: string
  /** How far that goes back; all of the target where it is missing, and null where that undoes it in no one run. */
  readonly undo?: Part | null
  readonly exposure?: Exposure
  /** Where the database is exchanged: the counters of the moment at which the exposure was counted. */
  readonly counters?: Counters
  /** Rows by which the exposure may grow past what was approved, without asking again. */
  readonly mayGrowBy?: number
  readonly steps: readonly Step[]
  /** Rows that come along, as far as they do. */
  readonly carry?: Carry
  /** Steps that are tried before anybody is asked, under a lease of their own, and leave nothing but a verdict. */
  readonly rehearsal?: readonly Step[]
  /** What runs beside the worker before anything else; missing where there is none, or a hotfix skips them. */
  readonly checks?: PlannedChecks
  /** How each configured file changes; of the environment file `environment` tells, but where configuration goes back. */
  readonly configuration?: readonly FileChange[]
  /** How the environment file changes; missing where it stays as it is. */
  readonly environment?: EnvironmentChange
  /** The reserve on the disk goes before the lease is taken: without a byte left nobody could take it. */
  readonly freesReserve?: true
  readonly approval: Approval
  /** Nothing differs from what was asked for. */
  readonly already: boolean
  /** What ran when the plan was made; an undo is checked against it. */
  readonly before: { readonly version: string | null; readonly head: string | null }
  readonly deadlines: { readonly approvalMs: number; readonly operatorMs: number }
}

/** Keys whose values in the file that is put in place are not the live ones: names only, values never. */
export interface EnvironmentChange {
  readonly changed: readonly string[]
  /** Named under `secrets`, so that the live value stays. */
  readonly kept: readonly string[]
}

/** How a file changes: keys, never values; none where only its text, its mode or its kind differ. */
export interface FileChange extends KeyChanges {
  readonly path: string
  readonly how: 'changes' | 'comes' | 'comes back' | 'goes'
}

export interface PlannedChecks {
  readonly names: readonly string[]
  readonly version: string
  readonly release: { readonly directory: string; readonly sha256: string } | null
}

export interface StrategyVerdict {
  readonly strategy: Strategy
  readonly verdict: 'chosen' | 'possible' | 'impossible'
  readonly reason: string
  /** Of the database's part, by what it took before on this host; null where that was never measured. */
  readonly estimateMs: number | null
  /** What it would lose; null where nobody could count. */
  readonly exposure: Exposure | null
}

export type RunKind = 'deploy' | 'rollback' | 'backup' | 'emergency'

export interface Approval {
  readonly required: boolean
  readonly dataLoss: boolean
  readonly why: string
  /** Missing in plans of earlier versions. */
  readonly terms?: ApprovalTerms
}

/** Who may open the gates of a plan, and what becomes of one that nobody answers. */
export interface ApprovalTerms {
  readonly approvals: number
  /** Anybody where it is missing. */
  readonly approvers?: readonly string[]
  /** Who asked for the run, where that may not be who approves it. */
  readonly not?: string
  /** Whose approvals count only with a signature. */
  readonly signers: readonly string[]
  /** `go-on` never where data would be lost. */
  readonly atDeadline: 'end' | 'go-on'
}

/** What going back would lose: rows by table, and how each figure was come by. */
export interface Exposure {
  /** Rows. */
  readonly total: number
  readonly tables: readonly ExposedTable[]
}

/** What whoever let a run go on knew: the exposure, and the counters of that moment. */
export type Shown = Pick<Plan, 'exposure' | 'counters'>

export interface ExposedTable {
  readonly table: string
  /** Set where it is values of this column that would be lost, and not rows. */
  readonly column?: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly newest: string | null
  readonly method: string
}

/** What the steps do not show, in words. */
export function planNotes({ checks, configuration = [], environment, carry }: Plan): string[] {
  const { changed = [], kept = [] } = environment ?? {}
  return [
    ...(checks ? [`checks before anything else: ${checks.names.join(', ')}`] : []),
    ...configuration.map((it) => [`${it.path} ${it.how}`, ...describeKeys(it)].join(': ')),
    ...(changed.length > 0 ? [`other values in the environment file: ${changed.join(', ')}`] : []),
    ...(carry ? describeCarry(carry) : []),
    ...(kept.length > 0 ? [`secrets that keep their live values: ${kept.join(', ')}`] : []),
  ]
}

/** The rehearsal of a plan, as a plan of its own: whoever finds it without an end undoes it like any other. */
export function rehearsalOf(plan: Plan): Plan {
  const { counters: _counters, exposure: _exposure, checks: _checks, carry: _carry, rehearsal = [], ...rest } = plan
  return { ...rest, kind: 'rehearsal', steps: rehearsal }
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
