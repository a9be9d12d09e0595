// What a guard's activity returns, made up.

import type { Watched } from '../../src/activities/guard.js'
import type { GuardSettings, Sight } from '../../src/plan/guard.js'
import { nothingPolled } from '../../src/plan/polls.js'

export const settings: GuardSettings = {
  failures: 3,
  of: 5,
  recover: 3,
  policy: null,
  mayLoseData: false,
  losesUnasked: false,
  windowMs: 365 * 24 * 3_600_000,
  silenceMs: 90_000,
  undecidedMs: 120_000,
  agree: 1,
  expects: [],
  renewAfter: 500,
}

export const since = '2026-11-23T14:00:00.000Z'

export const release = { version: '2.1.0', since, id: '20261123T135900Z-2.0.0', by: 'deploy' } as const

export const sight: Sight = {
  settings,
  standing: { release, to: '2.0.0', schemaChanged: false, never: null },
  pause: null,
  countsFrom: since,
  debts: { payable: 0, asking: [] },
  sources: [],
}

export const well = [{ source: 'checks', verdict: 'healthy', detail: '1 check well' }] as const
export const sick = [{ source: 'checks', verdict: 'degraded', detail: 'api: status 503' }] as const

export function seen(changes: Partial<Sight>, of: Partial<GuardSettings> = {}): Watched {
  const countsFrom = new Date().toISOString()
  const standing = { ...sight.standing, release: { ...release, since: countsFrom } }
  return {
    sight: { ...sight, standing, countsFrom, ...changes, settings: { ...settings, ...of } },
    memory: nothingPolled,
  }
}
