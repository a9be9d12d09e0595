// Emergencies: nobody is asked and little is looked at, so each procedure does only what can be taken back, or what
// loses nothing.

import { deadlines } from './approval.js'
import { planDatabaseCorruption } from './emergency/corruption.js'
import { planDiskFull } from './emergency/disk.js'
import type { Decision, EmergencyFacts } from './emergency/facts.js'
import { planOutOfMemory } from './emergency/memory.js'
import { planStart, planStop, versionOf } from './emergency/stop.js'
import { planUnresponsive } from './emergency/unresponsive.js'
import { releaseLine, restorePointId } from './ledger.js'
import type { Plan } from './plan.js'
import type { EmergencyRequest, Procedure } from './request.js'

type Procedures = Readonly<Record<Procedure, (request: EmergencyRequest, facts: EmergencyFacts) => Decision>>

/** `scope` is the procedure. */
export function planEmergency(request: EmergencyRequest, facts: EmergencyFacts): Omit<Plan, 'digest'> {
  const { records } = facts
  const version = versionOf(facts)
  const { steps, answers = null, ...decided } = decisions[request.procedure](request, facts)
  return {
    kind: 'emergency',
    target: request.target,
    scope: request.procedure,
    version,
    answers,
    ...decided,
    ...(request.procedure === 'disk-full' || facts.freeBytes < leaseNeeds ? { freesReserve: true as const } : {}),
    safety: restorePointId({ at: facts.at, version }),
    steps,
    approval: { required: false, dataLoss: false, why: 'an emergency asks nobody' },
    already: steps.length === 0,
    before: { version: releaseLine(records).at(-1)?.version ?? null, head: null },
    deadlines: deadlines(facts, 'emergency'),
  }
}

/** With less the lease, the ledger and the jobs of a run may find no room. */
const leaseNeeds = 2_000_000

const decisions: Procedures = {
  stop: planStop,
  start: planStart,
  unresponsive: planUnresponsive,
  'database-corruption': planDatabaseCorruption,
  'out-of-memory': planOutOfMemory,
  'disk-full': planDiskFull,
}
