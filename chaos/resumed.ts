// How soon a run goes on when there is a worker again.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Ground } from './ground.js'

/** Longer than it may take by far. */
const looksForMs = 60_000

/** From `readyAt` until something of the run was begun; undefined where nothing had to: it waits at a gate, or is over. */
export async function resumedAfterMs(ground: Ground, run: string, readyAt: number): Promise<number | undefined> {
  const handle = ground.temporal.workflow.getHandle(run)
  const deadline = Date.now() + looksForMs
  let events: number | undefined
  while (Date.now() < deadline) {
    const { raw, status } = await handle.describe()
    if (status.name !== 'RUNNING') return undefined
    const length = Number(raw.workflowExecutionInfo?.historyLength ?? 0)
    const begun = (raw.pendingActivities ?? []).some(({ lastStartedTime }) => {
      return Number(lastStartedTime?.seconds ?? 0) * 1_000 + Number(lastStartedTime?.nanos ?? 0) / 1e6 >= readyAt
    })
    if (begun || (events !== undefined && length > events)) return Date.now() - readyAt
    events ??= length
    if ((await ground.client.progress(run).catch(() => undefined))?.gate) return undefined
    await sleep(100)
  }
  return looksForMs
}
