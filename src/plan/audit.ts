// What the audit record of a target says: who asked for a run, why, what was planned, said, done and seen. For people,
// and for whoever has to believe them: nothing in it is ever changed, and nothing is decided by it.

import type { HeardAnswer } from './gate.js'
import type { Noted } from './incident.js'
import type { RunId } from './ledger.js'
import { type Plan, planNotes } from './plan.js'
import type { GateWait, HealthReport, Phase, Progress, StepProgress } from './progress.js'

/** The newest entry that its writer saw: whoever keeps it elsewhere can tell whether all before it is as it was. */
export interface AuditHead {
  readonly number: number
  readonly sha256: string
}

/** A record that cannot be written holds up no run; why is said, and stands where the head would. */
export type Audited = AuditHead | { readonly problem: string }

/** What came of writing down how a run ended: in the record, and for people. */
export type WrittenEnd = Audited & { readonly note?: Noted }

export interface Asked {
  readonly kind: Progress['kind']
  readonly requestedBy: string | null
  readonly reason: string | null
  /** How bad it was, where somebody said. */
  readonly severity?: string
  /** Which scope, or which procedure of an emergency, where it was named. */
  readonly scope?: string
}

export type AuditedPlan = Pick<
  Plan,
  'digest' | 'scope' | 'version' | 'strategy' | 'because' | 'restorePoint' | 'safety' | 'undo' | 'exposure' | 'before'
> & {
  readonly notes: readonly string[]
  readonly approval: Pick<Plan['approval'], 'required' | 'dataLoss' | 'why'>
  readonly steps: readonly { readonly name: string; readonly title: string; readonly undo: readonly string[] }[]
}

/** Its first change is next. */
export interface Begun {
  readonly kind: 'begun'
  readonly asked: Asked
  readonly plan: AuditedPlan
}

/** Somebody answered at a gate, whether it counted or not. */
export interface Answered {
  readonly kind: 'answer'
  readonly answer: HeardAnswer
}

/** What another run had left was undone, or accepted by a person. */
export interface DebtClosed {
  readonly kind: 'debt'
  readonly of: RunId
  readonly how: 'undone' | 'accepted'
}

export interface Ended {
  readonly kind: 'ended'
  readonly asked: Asked
  readonly outcome: Phase
  /** Why it failed. */
  readonly message: string | null
  readonly startedAt: string
  /** Where no `begun` has it. */
  readonly plan?: AuditedPlan
  readonly steps: readonly StepProgress[]
  readonly gates: readonly GateWait[]
  readonly health: readonly HealthReport[]
  /** What the checks said before anything was changed. */
  readonly before?: readonly HealthReport[]
  readonly restorePoint: string | null
  readonly left: readonly string[]
  /** Answers that could not be written when they were given. */
  readonly answers?: readonly HeardAnswer[]
}

export type AuditEvent = Begun | Answered | DebtClosed | Ended
export type AuditEntry = AuditEvent & { readonly run: RunId }

/** Who asked, and why, as far as that can be read; a request may be anything. */
export function askedOf(kind: Progress['kind'], request: unknown): Asked {
  const { requestedBy, reason, severity, scope, procedure } = (request ?? {}) as Readonly<Record<string, unknown>>
  const [bad, far] = [textOf(severity), textOf(scope ?? procedure)]
  return {
    kind,
    requestedBy: textOf(requestedBy),
    reason: textOf(reason),
    ...(bad === null ? {} : { severity: bad }),
    ...(far === null ? {} : { scope: far }),
  }
}

/** The plan as people read it; its steps' arguments are in the ledger and in the run's history. */
export function auditedPlan(plan: Plan): AuditedPlan {
  const { digest, scope, version, strategy, because, restorePoint, safety, undo, exposure, before, approval } = plan
  return {
    digest,
    version,
    because,
    safety,
    before,
    ...(scope ? { scope } : {}),
    ...(strategy ? { strategy } : {}),
    ...(restorePoint ? { restorePoint } : {}),
    ...(undo === undefined ? {} : { undo }),
    ...(exposure ? { exposure } : {}),
    notes: planNotes(plan),
    approval: { required: approval.required, dataLoss: approval.dataLoss, why: approval.why },
    steps: plan.steps.map(({ act, undo }) => ({
      name: act.name,
      title: act.title,
      undo: undo.map((it) => it.title),
    })),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, 2_000) : null
}
