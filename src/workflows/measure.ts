import { metricMeter } from '@temporalio/workflow'
import type { Progress } from '../plan/progress.js'
import { measureRun, runMetrics } from '../plan/run-metrics.js'

/** Adds a run to the metrics of the worker that sees its end; a replay adds nothing. */
export function measure(progress: Progress, failed?: string): void {
  for (const { name, value, tags } of measureRun(progress, failed)) {
    const { does } = runMetrics[name]
    if (name === 'stepback_runs') metricMeter.createCounter(name, '', does).add(value, tags)
    else metricMeter.createHistogram(name, 'float', '', does).record(value, tags)
  }
}
