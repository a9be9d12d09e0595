// A run that the audit record has no end of, as its history tells it.

import type { RunHistory } from '../../client/run-history.js'
import { askedOf, auditedPlan } from '../../plan/audit.js'
import type { PastRun } from '../../plan/past-run.js'
import type { Progress } from '../../plan/progress.js'

export function fromHistory(history: RunHistory): PastRun {
  const { run, runId, request, startedAt, plan, result, closedAt, closedAs, message } = history
  const asked = askedOf(history.type.replace(/Workflow$/, '') as Progress['kind'], request)
  const ended = result && {
    kind: 'ended' as const,
    asked,
    at: closedAt ?? startedAt,
    outcome: result.phase,
    message,
    startedAt: result.startedAt,
    steps: result.steps,
    gates: result.gates ?? [],
    health: result.health,
    ...(history.before ? { before: history.before } : {}),
    restorePoint: result.restorePoint,
    left: result.left ?? [],
  }
  return {
    run,
    runId,
    at: startedAt,
    asked,
    plan: plan ? auditedPlan(plan) : null,
    answers: result?.answers ?? [],
    debts: [],
    ended: ended ?? null,
    closedAs: closedAs ?? 'Running',
  }
}
