import { log, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow'
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common'
import type { Glance } from '../activities/observe/glance.js'
import { describeProgress } from '../plan/describe.js'
import type { Exposure, Plan, RunKind } from '../plan/plan.js'
import { Notices } from './notices.js'
import { type Phase, type Progress, type RunResult, newProgress, showPlan } from '../plan/progress.js'
import { Trail } from './trail.js'

const phaseKey = defineSearchAttributeKey('StepbackPhase', SearchAttributeType.KEYWORD)
const targetKey = defineSearchAttributeKey('StepbackTarget', SearchAttributeType.KEYWORD)
const versionKey = defineSearchAttributeKey('StepbackVersion', SearchAttributeType.KEYWORD)
const restorePointKey = defineSearchAttributeKey('StepbackRestorePoint', SearchAttributeType.KEYWORD)

/** What a run knows of itself, and the places where it shows it. */
export class RunState {
  readonly progress: Progress
  readonly notices = new Notices()
  readonly trail: Trail
  result: RunResult | undefined
  plan: Plan | undefined
  /** What the plan was made upon. */
  glance: Glance | undefined
  token: number | undefined
  /** Set by the first step that starts: from then on leaving means undoing. */
  changed = false
  /** Off where the server has no search attributes: an upsert there would fail the workflow's task for ever. */
  searchable = false

  constructor(
    kind: RunKind | 'guard',
    private readonly request: unknown,
  ) {
    const target = (request as { target?: unknown } | null)?.target
    this.progress = newProgress({ kind, target: typeof target === 'string' ? target : null, at: now() })
    this.trail = new Trail(this.progress, request)
  }

  setPlan(plan: Plan): void {
    this.plan = plan
    showPlan(this.progress, plan)
    this.show()
  }

  /** What turned out to be lost: whoever is asked now approves a loss, and has to name the plan. */
  showLoss(exposure: Exposure | null): void {
    if (this.plan) this.plan = { ...this.plan, approval: { ...this.plan.approval, dataLoss: true } }
    if (this.progress.plan) this.progress.plan = { ...this.progress.plan, exposure }
  }

  /** What a notice tells of this run, besides what it is about. */
  get told() {
    const { progress, request, plan } = this
    return { at: now(), run: workflowInfo().workflowId, version: plan?.version, progress, request }
  }

  enter(phase: Phase): void {
    if (this.progress.phase === phase) return
    log.info('phase', { phase, target: this.progress.target })
    this.progress.phase = phase
    this.tag()
    this.show()
  }

  show(): void {
    setCurrentDetails(describeProgress(this.progress, workflowInfo().workflowId))
  }

  tag(): void {
    if (!this.searchable) return
    const { target, phase } = this.progress
    upsertSearchAttributes([
      { key: phaseKey, value: phase },
      ...(target ? [{ key: targetKey, value: target }] : []),
      ...(this.plan ? [{ key: versionKey, value: this.plan.version }] : []),
      ...(this.plan?.restorePoint ? [{ key: restorePointKey, value: this.plan.restorePoint }] : []),
    ])
  }
}

export function now(): string {
  return new Date().toISOString()
}
