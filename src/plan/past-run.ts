// What was done to a target, run by run, as the audit record tells it.

import type { AuditEntry, AuditedPlan, Asked, Ended } from './audit.js'
import type { HeardAnswer } from './gate.js'

export interface PastRun {
  readonly run: string
  readonly runId: string
  readonly at: string
  readonly asked: Asked | null
  readonly plan: AuditedPlan | null
  readonly answers: readonly HeardAnswer[]
  /** Runs whose debts it undid, or a person accepted. */
  readonly debts: readonly { readonly run: string; readonly how: string }[]
  /** Null where it never came to write its end: it is under way, or was terminated. */
  readonly ended: (Ended & { readonly at: string }) | null
  /** What Temporal says of a run that has no end in the record. */
  readonly closedAs?: string
}

/** Newest first. */
export function pastRuns(records: readonly { readonly at: string; readonly entry: object }[]): PastRun[] {
  const runs = new Map<string, PastRun>()
  for (const { at, entry } of records as readonly { readonly at: string; readonly entry: AuditEntry }[]) {
    if (!entry.run) continue
    const { runId, workflowId } = entry.run
    const known = runs.get(runId) ?? { ...nothing, run: workflowId, runId, at }
    runs.set(runId, { ...known, ...told(known, at, entry) })
  }
  return [...runs.values()].toReversed()
}

/** Whose approvals counted. */
export function approversOf({ answers }: PastRun): string[] {
  return answers.flatMap(({ kind, refused, by }) => (kind === 'approve' && refused === null ? [by ?? 'nobody'] : []))
}

const nothing = { asked: null, plan: null, answers: [], debts: [], ended: null }

function told(known: PastRun, at: string, entry: AuditEntry): Partial<PastRun> {
  switch (entry.kind) {
    case 'begun':
      return { asked: entry.asked, plan: entry.plan }
    case 'answer':
      return { answers: [...known.answers, entry.answer] }
    case 'debt':
      return { debts: [...known.debts, { run: entry.of.workflowId, how: entry.how }] }
    case 'ended':
      return {
        asked: entry.asked,
        plan: entry.plan ?? known.plan,
        answers: [...known.answers, ...(entry.answers ?? [])],
        ended: { ...entry, at },
      }
  }
}
