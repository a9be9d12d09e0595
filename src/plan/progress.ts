// What a run shows of itself: the same object answers the query, fills the Web UI, and is its result.

import type { Audited } from './audit.js'
import type { Carry } from './carry.js'
import type { HeardAnswer } from './gate.js'
import type { Noted } from './incident.js'
import { type Exposure, type Plan, type RunKind, type StrategyVerdict, planNotes } from './plan.js'
import { undoCommand } from './undo.js'

export type Phase =
  | 'planning'
  | 'waiting-for-approval'
  | 'waiting-for-lease'
  | 'running'
  | 'waiting-for-operator'
  | 'undoing'
  | 'done'
  | 'undone'
  | 'not-undone'
  | 'refused'
  | 'rejected'
  | 'cancelled'
  | 'fenced'

export type StepState = 'pending' | 'running' | 'done' | 'failed' | 'skipped' | 'undone' | 'undo-failed'

export interface StepProgress {
  readonly name: string
  readonly title: string
  state: StepState
  attempts: number
  startedAt: string | null
  finishedAt: string | null
  detail: string | null
}

export interface PlanProgress {
  readonly digest: string
  readonly strategy: string | null
  readonly because: string
  readonly restorePoint: string | null
  readonly exposure: Exposure | null
  /** Every strategy and how it stands, where the database goes back. */
  readonly strategies?: readonly StrategyVerdict[]
  /** What a reader of the plan should know besides: checks that run first, keys whose values change. */
  readonly notes?: readonly string[]
  /** Rows that come along, and how their rehearsal went. */
  readonly carry?: Carry
  /** What somebody types to undo the run once it is done; null where no one command does. */
  readonly undo?: string | null
}

/** An open question, and what answers it. */
export interface OpenGate {
  readonly asks: 'approve' | 'resolve'
  readonly why: string
  readonly until: string
  /** How many approvals of whom, where one of anybody is not enough. */
  readonly needs?: string
  readonly approvedBy?: readonly string[]
  /** What those who sign sign, with a blank and their name behind it. */
  readonly signs?: string
}

/** A pause that a person ended, or nobody. */
export interface GateWait {
  readonly asks: OpenGate['asks']
  readonly why: string
  readonly openedAt: string
  readonly closedAt: string
}

export interface Progress {
  readonly target: string | null
  readonly kind: RunKind | 'guard'
  scope: string | null
  phase: Phase
  plan: PlanProgress | null
  steps: StepProgress[]
  gate: OpenGate | null
  /** The gates that are behind it. */
  gates?: readonly GateWait[]
  /** Everything that was said to its gates; of what was refused only the first hundred. */
  answers?: readonly HeardAnswer[]
  readonly startedAt: string
  finishedAt: string | null
}

/** What a check said when the run had ended. */
export interface HealthReport {
  readonly check: string
  readonly healthy: boolean
  readonly detail: string
}

export interface RunResult extends Progress {
  readonly health: readonly HealthReport[]
  readonly restorePoint: string | null
  readonly durationMs: number
  readonly already?: true
  readonly cancelled?: true
  /** Errors of undos and what is left on the host, where something is. */
  readonly left?: readonly string[]
  /** The newest entry of the target's audit record when this run had written its end. */
  readonly audit?: Audited
  /** The note of it on the host, where the configuration asks for notes of incidents. */
  readonly note?: Noted
}

export function newProgress(input: {
  readonly kind: RunKind | 'guard'
  readonly target: string | null
  readonly at: string
}): Progress {
  return {
    target: input.target,
    kind: input.kind,
    scope: null,
    phase: 'planning',
    plan: null,
    steps: [],
    gate: null,
    startedAt: input.at,
    finishedAt: null,
  }
}

/** Shows a plan: its steps are pending again, even where an earlier plan of the same run had begun. */
export function showPlan(progress: Progress, plan: Plan): void {
  const notes = planNotes(plan)
  progress.scope = plan.scope ?? null
  progress.plan = {
    digest: plan.digest,
    strategy: plan.strategy ?? null,
    because: plan.because,
    restorePoint: plan.restorePoint ?? null,
    exposure: plan.exposure ?? null,
    ...(plan.strategies ? { strategies: plan.strategies } : {}),
    ...(notes.length > 0 ? { notes } : {}),
    ...(plan.carry ? { carry: plan.carry } : {}),
    undo: undoCommand(plan.target, plan.safety, plan.undo),
  }
  progress.steps = plan.steps.map(({ act }) => pending(act.name, act.title))
}

/** The restore point that undoes a run, where it came to take one. */
export function safetyOf({ steps }: Progress, plan: Plan | undefined): string | null {
  return plan && tookRestorePoint(steps) ? plan.safety : null
}

/** `undo it: stepback rollback …`, as soon as that is true. */
export function undoLine({ kind, phase, plan, steps }: Progress): string | null {
  if (phase !== 'done' || !tookRestorePoint(steps) || !plan?.undo) return null
  return `${kind === 'backup' ? 'go back to it' : 'undo it'}: ${plan.undo}`
}

export function pending(name: string, title: string): StepProgress {
  return { name, title, state: 'pending', attempts: 0, startedAt: null, finishedAt: null, detail: null }
}

function tookRestorePoint(steps: readonly StepProgress[]): boolean {
  return steps.some((step) => step.name === 'takeRestorePoint' && step.state === 'done')
}
