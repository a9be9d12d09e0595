// The audit record of a target: one chain, to which anybody links the next number, with or without the lease.

import type { Host } from '../adapters/host.js'
import { findTarget } from '../config/load.js'
import type { AuditEntry, AuditEvent, Audited, WrittenEnd } from '../plan/audit.js'
import { masked } from '../plan/credentials.js'
import { StepbackError } from '../plan/failure.js'
import type { Circumstances } from '../plan/incident.js'
import { beating } from './act.js'
import { ownRun } from './context.js'
import type { Deps } from './deps.js'
import { noteWithoutLease } from './incidents.js'
import { messageOf } from './to-failure.js'

export function auditActivities(deps: Deps) {
  return {
    /**
     * `id` names the entry within its run, so that a second attempt finds the first one's. The end of a run that never
     * had the lease is told to people, too; one that lost it writes to the project no more.
     */
    async recordAudit(input: {
      readonly target: string
      readonly id: string
      readonly event: AuditEvent
      readonly circumstances?: Circumstances
    }): Promise<WrittenEnd> {
      return await beating(async () => {
        const { id, event, circumstances } = input
        const target = findTarget(deps.config, input.target)
        const host = deps.hosts.host(target)
        const audited = await audit(host, id, event)
        if (event.kind !== 'ended' || event.outcome === 'fenced' || !circumstances) return audited
        const note = await noteWithoutLease(host, target, { ended: event, circumstances })
        return { ...audited, ...(note ? { note } : {}) }
      })
    },
  }
}

/** Only a host that cannot be reached is asked again: a run must not hang on its record. */
export async function audit(host: Host, id: string, event: AuditEvent): Promise<Audited> {
  const run = ownRun()
  try {
    return await host.appendAudit({ id: `${run.runId}.${id}`, entry: masked<AuditEntry>({ run, ...event }) })
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Unreachable') throw error
    return { problem: messageOf(error) }
  }
}
