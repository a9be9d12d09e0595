// The audit record of a target: one chain, to which anybody links the next number, with or without the lease.

import { maskCredentials } from '../adapters/logger.js'
import type { Host } from '../adapters/host.js'
import { findTarget } from '../config/load.js'
import type { AuditEntry, AuditEvent, Audited } from '../plan/audit.js'
import { StepbackError } from '../plan/failure.js'
import { beating } from './act.js'
import { ownRun } from './context.js'
import type { Deps } from './deps.js'
import { messageOf } from './to-failure.js'

export function auditActivities(deps: Deps) {
  return {
    /** `id` names the entry within its run, so that a second attempt finds the first one's. */
    async recordAudit(input: {
      readonly target: string
      readonly id: string
      readonly event: AuditEvent
    }): Promise<Audited> {
      return await beating(() => audit(deps.hosts.host(findTarget(deps.config, input.target)), input.id, input.event))
    },
  }
}

/** Only a host that cannot be reached is asked again: a run must not hang on its record. */
export async function audit(host: Host, id: string, event: AuditEvent): Promise<Audited> {
  const run = ownRun()
  try {
    return await host.appendAudit({ id: `${run.runId}.${id}`, entry: masked({ run, ...event }) })
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Unreachable') throw error
    return { problem: messageOf(error) }
  }
}

/** People write comments and reasons, and some write a password into them. */
function masked(entry: AuditEntry): AuditEntry {
  return JSON.parse(maskCredentials(JSON.stringify(entry))) as AuditEntry
}
