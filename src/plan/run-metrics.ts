// What a run that has ended adds to its worker's metrics. All at its end, from what it knows of itself: a worker that
// died in the middle takes nothing with it.

import type { Progress } from './progress.js'

export interface Measurement {
  readonly name: keyof typeof runMetrics
  readonly value: number
  readonly tags: Readonly<Record<string, string>>
}

const minutes = (...many: readonly number[]) => many.map((it) => it * 60)

/** By their names, as in Prometheus but for the ending `_total` of counters; `buckets` are in seconds. */
export const runMetrics = {
  stepback_runs: { does: 'runs that ended' },
  stepback_run_duration_seconds: {
    does: 'from the start of a run to its end, waits for people included',
    buckets: [1, 2.5, 5, 10, 20, 30, ...minutes(1, 2, 5, 10, 30, 60, 240, 1440)],
  },
  stepback_step_duration_seconds: {
    does: 'from the first attempt of a step to its end',
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, ...minutes(1, 2, 5, 10, 30, 60)],
  },
  stepback_gate_waiting_seconds: {
    does: 'how long a run waited for a person',
    buckets: [5, 15, 30, ...minutes(1, 2, 5, 10, 30, 60, 240, 480, 1440)],
  },
} as const

/** `failed`: the type of the failure that ended it. */
export function measureRun(progress: Progress, failed?: string): Measurement[] {
  const { kind, phase, startedAt, finishedAt, steps, gates = [] } = progress
  // A name that nobody configured is no label: whoever starts runs could make as many series as they like.
  const target = nowhere.includes(failed ?? '') ? '' : (progress.target ?? '')
  const run = { target, kind, outcome: phase }
  return [
    { name: 'stepback_runs', value: 1, tags: run },
    ...span('stepback_run_duration_seconds', startedAt, finishedAt, run),
    ...steps.flatMap(({ name, state, startedAt: from, finishedAt: to }) =>
      span('stepback_step_duration_seconds', from, to, { target, kind, step: name, outcome: state }),
    ),
    ...gates.flatMap(({ asks, openedAt, closedAt }) =>
      span('stepback_gate_waiting_seconds', openedAt, closedAt, { target, kind, asks }),
    ),
  ]
}

const nowhere: readonly string[] = ['InvalidRequest', 'UnknownTarget', 'InvalidConfiguration']

/** Clocks of workers differ: what would have ended before it began took no time. */
function span(
  name: Measurement['name'],
  from: string | null,
  to: string | null,
  tags: Measurement['tags'],
): Measurement[] {
  if (from === null || to === null) return []
  return [{ name, value: Math.max(0, Date.parse(to) - Date.parse(from)) / 1_000, tags }]
}
