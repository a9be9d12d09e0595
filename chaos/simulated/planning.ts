// The looks of a plan, over the simulated connection, and the real planner behind them.

import { createHash } from 'node:crypto'
import { beating } from '../../src/activities/act.js'
import type { Deps } from '../../src/activities/deps.js'
import { readVersion } from '../../src/activities/health.js'
import { readContainers } from '../../src/activities/observe/containers.js'
import { ledgerRecords } from '../../src/activities/observe/ledger.js'
import { Look } from '../../src/activities/observe/look.js'
import { planningActivities } from '../../src/activities/planning.js'
import { parseDeployRequest } from '../../src/config/request.js'
import { planDeploy } from '../../src/plan/deploy.js'
import { type Plan, digestText } from '../../src/plan/plan.js'
import { factsOf, release } from './stack.js'

/** What the real one asks besides, each a command that may fail. */
const others = ['model', 'volumes', 'shelf', 'places', 'room', 'release', 'hashes', 'images', 'ahead']

export function simulatedPlanning(deps: Deps): ReturnType<typeof planningActivities> {
  return {
    ...planningActivities(deps),
    plan: async (input) =>
      await beating(async () => {
        return { plan: await plan(deps, input.request), searchable: false, audits: true }
      }),
  }
}

async function plan(deps: Deps, raw: unknown): Promise<Plan> {
  const request = parseDeployRequest(raw)
  const look = await Look.at(deps, request.target)
  const [containers, applied, version, records] = await Promise.all([
    readContainers(look),
    look.look('simulated: applied'),
    readVersion(deps, look.target),
    ledgerRecords(look.host),
    ...others.map((it) => look.look(`simulated: ${it}`)),
  ])
  const seen = { target: request.target, containers, applied: JSON.parse(applied) as string[], version, records }
  const decided = planDeploy(request, factsOf(seen), release)
  const digest = createHash('sha256').update(digestText(decided, request)).digest('hex')
  return { ...decided, digest: `sha256:${digest}` }
}
