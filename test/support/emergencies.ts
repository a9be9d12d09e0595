// What an emergency of the small shop sees, and the plans that the real planner makes for it.

import { planEmergency } from '../../src/plan/emergency.js'
import type { EmergencyFacts } from '../../src/plan/emergency/facts.js'
import type { Plan } from '../../src/plan/plan.js'
import type { EmergencyRequest } from '../../src/plan/request.js'
import { at, container, model, stack, withDigest } from './plans.js'

export function emergencyRequest(changes: Partial<EmergencyRequest> = {}): EmergencyRequest {
  return { target: 'shop', procedure: 'stop', reason: 'it answers with the data of others', dryRun: false, ...changes }
}

export function emergencyFacts(changes: Partial<EmergencyFacts> = {}): EmergencyFacts {
  return {
    at,
    stack: { ...stack, logService: 'worker' },
    settings: {
      stopGraceSeconds: 5,
      logLines: 100,
      disk: {
        dumps: 5,
        containers: true,
        images: true,
        buildCache: true,
        volumes: true,
        logs: { path: 'logs', olderThanDays: 30 },
      },
      memory: null,
    },
    backups: '/srv/shop/backups',
    freeBytes: 9e9,
    containers: ['db', 'api', 'worker', 'web'].map((service) => container(service)),
    records: [],
    files: { model, identity: { check: 'project', ok: true, detail: 'shop' } },
    ...changes,
  }
}

export function emergencyPlan(request = emergencyRequest(), seen = emergencyFacts()): Plan {
  return withDigest(planEmergency(request, seen), request)
}
