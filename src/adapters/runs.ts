// What Temporal says about runs: the one that holds a lease, and those that a guard began.

import { type Client, WorkflowFailedError, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import type { Begun } from '../plan/acted.js'
import type { Progress } from '../plan/progress.js'
import type { RunId } from '../plan/ledger.js'
import type { Holder } from './host.js'

export interface Runs {
  /** An unknown answer is not a closed one. */
  state(holder: Holder): Promise<'open' | 'closed' | 'unknown'>
  cancel(holder: Holder): Promise<void>
  waitsAtGate(run: RunId): Promise<boolean>
  /** Rollbacks whose names begin so, begun since then, oldest first. */
  rollbacks(name: string, since: string): Promise<readonly Begun[]>
}

/** Asks the server of one namespace; a holder of another namespace is unknown to it. */
export function temporalRuns(client: Client, namespace: string): Runs {
  const handle = ({ workflowId, runId }: RunId) => client.workflow.getHandle(workflowId, runId)
  return {
    state: async (holder) => {
      if (holder.namespace !== namespace) return 'unknown'
      try {
        const { status } = await handle(holder).describe()
        return status.name === 'RUNNING' || status.name === 'PAUSED' ? 'open' : 'closed'
      } catch (error) {
        // A run past its retention is closed; every other failure to answer says nothing.
        return error instanceof WorkflowNotFoundError ? 'closed' : 'unknown'
      }
    },
    cancel: async (holder) => {
      await handle(holder).cancel()
    },
    waitsAtGate,
    rollbacks: async (name, since) => {
      const query = `WorkflowType = "rollbackWorkflow" AND StartTime > "${since}"`
      const found: Promise<Begun>[] = []
      for await (const it of client.workflow.list({ query })) {
        if (it.workflowId.startsWith(name)) found.push(begun(it))
      }
      return (await Promise.all(found)).toSorted((a, b) => (a.at < b.at ? -1 : 1))
    },
  }

  async function waitsAtGate(run: RunId): Promise<boolean> {
    const { phase } = await handle(run).query<Progress>('progress')
    return phase === 'waiting-for-operator' || phase === 'waiting-for-approval'
  }

  async function begun(run: RunId & { startTime: Date; closeTime?: Date }): Promise<Begun> {
    const { workflowId, startTime, closeTime } = run
    const ended = closeTime ? { at: closeTime.toISOString(), ...(await endOf(handle(run))) } : null
    const waits = ended === null && (await waitsAtGate(run).catch(() => false))
    return { run: workflowId, at: startTime.toISOString(), waits, ended }
  }
}

async function endOf(run: WorkflowHandle): Promise<{ readonly type: string; readonly message: string }> {
  try {
    await run.result()
    return { type: 'done', message: '' }
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    const { cause } = error
    const type = cause instanceof ApplicationFailure ? (cause.type ?? '') : ''
    return { type, message: cause?.message ?? error.message }
  }
}
