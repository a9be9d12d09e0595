// What the SDK logs and measures, and where Prometheus finds it.

import { setTimeout as sleep } from 'node:timers/promises'
import { Runtime, type RuntimeOptions } from '@temporalio/worker'
import { type Logger, forTemporal } from '../adapters/logger.js'
import type { Config } from '../config/schema.js'
import { runMetrics } from '../plan/run-metrics.js'

/** A worker that was told to stop keeps its port for some seconds, while the next one starts. */
const portIsFreeWithinMs = 10_000

/**
 * Once for a process, before anything of the SDK is used. A port that stays taken is no reason not to work: it says so,
 * and nothing is served.
 */
export async function installRuntime(metrics: Config['metrics'], logger: Logger, stop: AbortSignal): Promise<void> {
  if (metrics.port === undefined) return install(logger)
  const bindAddress = `${metrics.address.includes(':') ? `[${metrics.address}]` : metrics.address}:${metrics.port}`
  const deadline = Date.now() + portIsFreeWithinMs
  while (!stop.aborted) {
    try {
      install(logger, { prometheus: { ...prometheus, bindAddress } })
      return logger.info({ at: `http://${bindAddress}/metrics` }, 'metrics are served')
    } catch (error) {
      if (Date.now() > deadline) {
        logger.warn({ at: bindAddress, why: (error as Error).message }, 'metrics are not served')
        return install(logger)
      }
      await sleep(500)
    }
  }
}

function install(logger: Logger, metrics?: NonNullable<RuntimeOptions['telemetryOptions']>['metrics']): void {
  Runtime.install({
    logger: forTemporal(logger),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(metrics ? { metrics: { ...metrics, attachServiceName: false } } : {}),
    },
    shutdownSignals: [], // handled by the worker, since the SDK's own would be deaf until there is a worker
  })
}

/** Names and units as Prometheus has them. */
const prometheus = {
  countersTotalSuffix: true,
  unitSuffix: true,
  useSecondsForDurations: true,
  histogramBucketOverrides: Object.fromEntries(
    Object.entries(runMetrics).flatMap(([name, it]) => ('buckets' in it ? [[name, [...it.buckets]]] : [])),
  ),
}
