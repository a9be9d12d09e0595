// Everything that a run needs, looked at without changing it.

import type { Deps } from '../../activities/deps.js'
import type { ConnectTo } from '../../client.js'
import type { Target } from '../../config/schema.js'
import type { Finding } from '../../plan/facts.js'
import { ownPackage } from '../package.js'
import { examineMachine } from './machine.js'
import { examineTarget } from './target.js'
import { examineTemporal } from './temporal.js'

export interface Findings {
  /** Null for what does not belong to a target. */
  readonly target: string | null
  readonly findings: readonly Finding[]
}

/** What is there without any target: this machine, the configuration, and Temporal. */
export async function examineGround(configuration: Finding, temporal: ConnectTo | undefined): Promise<Findings> {
  const findings = [...examineMachine(ownPackage().node), configuration, ...(await examineTemporal(temporal))]
  return { target: null, findings }
}

export async function examineTargets(input: {
  readonly targets: readonly string[]
  readonly deps: Deps
  /** Connects, and makes a key known that a person accepts. */
  readonly meet: (target: Target) => Promise<void>
}): Promise<Findings[]> {
  const { targets, deps, meet } = input
  return await Promise.all(
    targets.map(async (target) => ({ target, findings: await examineTarget(deps, target, meet) })),
  )
}
