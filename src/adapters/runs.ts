// What Temporal says about the run that holds a lease.

import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { Progress } from '../plan/progress.js'
import type { Holder } from './host.js'

export interface Runs {
  /** An unknown answer is not a closed one. */
  state(holder: Holder): Promise<'open' | 'closed' | 'unknown'>
  cancel(holder: Holder): Promise<void>
  waitsAtGate(holder: Holder): Promise<boolean>
}

/** Asks the server of one namespace; a holder of another namespace is unknown to it. */
export function temporalRuns(client: Client, namespace: string): Runs {
  const handle = (holder: Holder) => client.workflow.getHandle(holder.workflowId, holder.runId)
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
    waitsAtGate: async (holder) => {
      const { phase } = await handle(holder).query<Progress>('progress')
      return phase === 'waiting-for-operator' || phase === 'waiting-for-approval'
    },
  }
}
