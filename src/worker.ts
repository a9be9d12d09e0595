// The worker: configuration, adapters, activities and workflows on one task queue, until it is told to stop.

import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker'
import { createActivities } from './activities/index.js'
import { type Logger, createLogger } from './adapters/logger.js'
import { Archive } from './client/archive.js'
import { type Address, resolveAddress, unreachable } from './client/connection.js'
import { compose } from './composition.js'
import type { Config } from './config/schema.js'
import { keepGauges } from './worker/gauges.js'
import { keepHistories } from './worker/keep-histories.js'
import { ensureSearchAttributes } from './worker/search-attributes.js'
import { installRuntime } from './worker/telemetry.js'

/** A worker is often started together with its server, which takes some seconds longer. */
const serverStartsWithinMs = 60_000

/** Runs until SIGTERM or SIGINT, and returns when what was under way has ended or was left to another worker. */
export async function runWorker(config: Config): Promise<void> {
  const logger = createLogger({ level: process.env['STEPBACK_LOG_LEVEL'] ?? 'info' })
  const stop = stopSignal()
  const address = resolveAddress(config.temporal)
  logger.info({ address: address.address, taskQueue: config.temporal.taskQueue }, 'worker starts')
  await installRuntime(config.metrics, logger, stop)
  const connection = await connect(address, logger, stop)
  if (!connection) return
  try {
    await serve({ config, address, connection, logger, stop })
  } finally {
    await connection.close()
  }
}

/** The first signal stops in good order, the second one at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort())
  return stop.signal
}

/** It may have come while the worker was made, which has run before it can be shut down, and keeps the process else. */
function whenStopped(stop: AbortSignal, act: () => void): void {
  if (stop.aborted) act()
  else stop.addEventListener('abort', act)
}

async function serve(input: {
  readonly config: Config
  readonly address: Address
  readonly connection: NativeConnection
  readonly logger: Logger
  readonly stop: AbortSignal
}): Promise<void> {
  const { config, connection, logger, address, stop } = input
  const { namespace } = address
  const { taskQueue } = config.temporal
  const searchable = await ensureSearchAttributes({ connection, namespace, logger })
  const client = new Client({ connection, namespace })
  const { deps, close } = compose({ config, namespace, client, searchable })
  try {
    const worker = await Worker.create({
      ...options,
      ...workflowCode(),
      connection,
      namespace,
      taskQueue,
      activities: createActivities(deps),
    })
    const running = worker.run()
    void keepHistories({ client, taskQueue, archive: new Archive(config.temporal.histories), logger, stop })
    if (config.metrics.port !== undefined)
      void keepGauges({ deps, client, meter: Runtime.instance().metricMeter, logger, stop })
    whenStopped(stop, () => worker.getState() === 'RUNNING' && worker.shutdown())
    process.stdout.write(`stepback worker ready on ${config.temporal.taskQueue} at ${address.address}\n`)
    await untilStopped(running, stop, logger)
  } finally {
    await close()
  }
}

const options: Partial<WorkerOptions> = {
  // Jobs live on the host, not here: what has not ended by then is left to another worker, which attaches to its job.
  shutdownForceTime: '5s',
  // Never reached: behind it the SDK cancels what is under way, and a cancelled act ends its job on the host.
  shutdownGraceTime: '1h',
  // Activities mostly wait for a host, and one that waits for a lease or keeps one holds its place for hours.
  maxConcurrentActivityTaskExecutions: 100,
  maxCachedWorkflows: 100,
  // A cancel arrives with a heartbeat; by default heartbeats are held back for eight of ten seconds.
  maxHeartbeatThrottleInterval: '1s',
  // For so long a server keeps a run's next task for the worker that had it, which may have been killed.
  stickyQueueScheduleToStartTimeout: '5s',
}

/** Bundled once by the build; from the sources it is bundled at every start. */
function workflowCode(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const bundle = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url))
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } }
  const compiled = fileURLToPath(new URL('./workflows/index.js', import.meta.url))
  return { workflowsPath: existsSync(compiled) ? compiled : compiled.replace(/js$/, 'ts') }
}

/** Nothing comes back where it was told to stop meanwhile. */
async function connect(address: Address, logger: Logger, stop: AbortSignal): Promise<NativeConnection | undefined> {
  const deadline = Date.now() + serverStartsWithinMs
  // Once at least: a runtime of which nothing came would keep the process.
  do {
    try {
      return await NativeConnection.connect(address.connection)
    } catch (cause) {
      if (Date.now() > deadline) throw unreachable(address.address, cause)
      logger.warn({ address: address.address, why: (cause as Error).message }, 'Temporal does not answer yet')
      await sleep(1_000)
    }
  } while (!stop.aborted)
  return undefined
}

async function untilStopped(running: Promise<void>, stop: AbortSignal, logger: Logger): Promise<void> {
  try {
    await running
  } catch (error) {
    if (!stop.aborted) throw error
    logger.warn('stopped before everything had ended; another worker takes it up')
    process.exit(0) // the SDK keeps hold of what it could not end, so nothing can be closed in good order any more
  }
}
