// A run as a trace: itself, its steps, and the waits of its gates, from what it knows of itself at its end.

import type { Progress, StepState } from './progress.js'

export interface Span {
  readonly name: string
  readonly startedAt: string
  readonly endedAt: string
  /** Why it did not go well; null where it did. */
  readonly failed: string | null
  readonly attributes: Readonly<Record<string, string | number>>
}

/** The run first, and then what happened in it. */
export function spansOf({ kind, phase, target, startedAt, finishedAt, steps, gates = [] }: Progress): Span[] {
  if (finishedAt === null) return []
  const run: Span = {
    name: `${kind} of ${target ?? 'an unknown target'}`,
    startedAt,
    endedAt: finishedAt,
    failed: phase === 'done' ? null : phase,
    attributes: { 'stepback.kind': kind, 'stepback.outcome': phase },
  }
  const inIt = [
    ...steps.flatMap((step): Span[] => {
      const { name, title, state, attempts, detail, startedAt: from, finishedAt: to } = step
      if (from === null || to === null) return []
      const attributes = { 'stepback.step': name, 'stepback.state': state, 'stepback.attempts': attempts }
      return [
        {
          name: title,
          startedAt: from,
          endedAt: to,
          failed: bad.includes(state) ? (detail ?? state) : null,
          attributes,
        },
      ]
    }),
    ...gates.map(({ asks, openedAt, closedAt, why }): Span => {
      const attributes = { 'stepback.gate': asks, 'stepback.why': why }
      return { name: `waits to ${asks}`, startedAt: openedAt, endedAt: closedAt, failed: null, attributes }
    }),
  ]
  return [run, ...inIt.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1))]
}

const bad: readonly StepState[] = ['failed', 'undone', 'undo-failed']
