import type { Client } from '@temporalio/client'
import type { Progress } from '../plan/progress.js'

export interface OpenRun {
  readonly run: string
  readonly type: string
  readonly startedAt: string
  /** Nothing where no worker answers. */
  readonly progress: Progress | null
}

const workflowTypes = ['deployWorkflow', 'rollbackWorkflow', 'backupWorkflow', 'emergencyWorkflow']

/** Runs of a task queue that have not ended, oldest first, each with what it shows. */
export async function openRuns(
  client: Client,
  taskQueue: string,
  progressOf: (run: string) => Promise<Progress>,
): Promise<OpenRun[]> {
  const types = workflowTypes.map((type) => `"${type}"`).join(', ')
  const query = `ExecutionStatus = "Running" AND TaskQueue = "${taskQueue}" AND WorkflowType IN (${types})`
  const open: Promise<OpenRun>[] = []
  for await (const { workflowId, type, startTime } of client.workflow.list({ query })) {
    const progress = progressOf(workflowId).catch(() => null)
    open.push(progress.then((it) => ({ run: workflowId, type, startedAt: startTime.toISOString(), progress: it })))
  }
  return (await Promise.all(open)).toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1))
}
