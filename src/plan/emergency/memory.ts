// Memory runs out: the model server is started anew, and only where that was not enough it gets a smaller model.

import type { MemoryLimits } from '../act.js'
import { startLevels } from '../start-order.js'
import { scaledByHand } from '../running.js'
import { StepbackError } from '../failure.js'
import { releaseLine } from '../ledger.js'
import type { EmergencyRequest } from '../request.js'
import { checkHealth } from '../steps/health.js'
import { measureMemory, restartService, useSmallerModel } from '../steps/memory.js'
import type { Decision, EmergencyFacts } from './facts.js'
import { filesOf } from './stop.js'

export interface MemoryRules extends MemoryLimits {
  /** The model server. */
  readonly service: string
  /** What is set in the environment file. */
  readonly key: string
  readonly value: string
  /** What reads it, the model server among them. */
  readonly services: readonly string[]
  /** So long after a start its memory is not looked at. */
  readonly settleMs: number
}

/** Figures in bytes; NaN or null where nobody can tell. */
export interface MemorySeen {
  readonly availableBytes: number
  readonly totalBytes: number
  readonly serviceBytes: number | null
}

export function planOutOfMemory(request: EmergencyRequest, facts: EmergencyFacts): Decision {
  const { model } = filesOf(request, facts)
  const rules = rulesOf(request, facts)
  const { service, key, value, services, settleMs, ...limits } = rules
  const scaled = scaledByHand({ model, containers: facts.containers })
  const levels = startLevels({ model, services, scaled })
  return {
    because: `${service} is the largest user of memory; ${key}=${value} only where its restart is not enough`,
    answers: releaseLine(facts.records).at(-1)?.version ?? null,
    steps: [
      measureMemory({ service, when: 'before', settleMs: 0 }),
      restartService({ service }),
      measureMemory({ service, when: 'after the restart', settleMs }),
      useSmallerModel({ service, key, value, levels, settleMs, limits }),
      checkHealth(),
    ],
  }
}

/** Why memory is still short; null where it is not. */
export function shortOf(seen: MemorySeen, { availableBytes, serviceBytes }: MemoryLimits): string | null {
  if (seen.availableBytes < availableBytes)
    return `${megabytes(seen.availableBytes)} MB are available, fewer than ${megabytes(availableBytes)}`
  if (serviceBytes !== null && seen.serviceBytes !== null && seen.serviceBytes > serviceBytes)
    return `it uses ${megabytes(seen.serviceBytes)} MB, more than ${megabytes(serviceBytes)}`
  return null
}

export function describeMemory(service: string, { availableBytes, totalBytes, serviceBytes }: MemorySeen): string {
  const host = Number.isNaN(availableBytes + totalBytes)
    ? 'nobody can tell what is available'
    : `${megabytes(availableBytes)} MB of ${megabytes(totalBytes)} MB available`
  return serviceBytes === null ? host : `${host}; ${service} uses ${megabytes(serviceBytes)} MB`
}

function rulesOf({ target }: EmergencyRequest, { settings, containers }: EmergencyFacts): MemoryRules {
  const { memory } = settings
  if (!memory) {
    throw new StepbackError({
      type: 'Refused',
      message: `the configuration of target "${target}" does not say what to do when memory runs out`,
      hint: 'name the model server and its smaller model in emergency.memory.',
    })
  }
  if (containers.some((it) => it.service === memory.service)) return memory
  throw new StepbackError({
    type: 'Refused',
    message: `service "${memory.service}" of target "${target}" has no container`,
    hint: 'mend emergency.memory.service in the configuration, or start it.',
  })
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
