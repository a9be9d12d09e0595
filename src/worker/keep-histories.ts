// Temporal forgets a run some days after its end: until then this worker has written its history to a file.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import type { Logger } from '../adapters/logger.js'
import type { Archive } from '../client/archive.js'

const everyMs = 30_000
/** Visibility lags behind the end of a run. */
const lagMs = 10 * 60_000

/** Returns when it is told to stop. What fails is tried again with the next round; why is logged once. */
export async function keepHistories(input: {
  readonly client: Client
  readonly taskQueue: string
  readonly archive: Archive
  readonly logger: Logger
  readonly stop: AbortSignal
}): Promise<void> {
  const { logger, stop, archive } = input
  let since: Date | undefined
  let said = ''
  while (!stop.aborted) {
    const begun = new Date(Date.now() - lagMs)
    try {
      await keepRound({ ...input, since })
      since = begun
      said = ''
    } catch (error) {
      const why = (error as Error).message
      if (why !== said) logger.warn({ directory: archive.directory, why }, 'histories of finished runs are not kept')
      said = why
    }
    await sleep(everyMs, undefined, { signal: stop }).catch(() => undefined)
  }
}

/** Every run of the queue that has ended, and is not kept yet. */
export async function keepRound(input: {
  readonly client: Client
  readonly taskQueue: string
  readonly archive: Archive
  readonly since?: Date | undefined
}): Promise<void> {
  const { client, archive, since, taskQueue } = input
  const recent = since ? ` AND CloseTime > "${since.toISOString()}"` : ''
  const query = `TaskQueue = "${taskQueue}" AND ExecutionStatus != "Running"${recent}`
  for await (const { workflowId: run, runId, type } of client.workflow.list({ query })) {
    if (type === 'notifyWorkflow' || archive.has({ run, runId })) continue
    await archive.keep({ run, runId }, await client.workflow.getHandle(run, runId).fetchHistory())
  }
}
