// One trial: a run, what happens to it, the look afterwards, and the verdict.

import { join } from 'node:path'
import type { StepbackClient } from '../src/client.js'
import type { Beginnings } from './beginnings.js'
import { Tail, chainProblems, begunAt, exchangedBack } from './chain.js'
import type { Case, Planned } from './draw.js'
import type { Ground } from './ground.js'
import { Happening } from './happening.js'
import { look } from './look.js'
import { attend, endsWithinMs } from './person.js'
import type { Wish } from './seen.js'
import { reconcile, settle, strays } from './settle.js'
import { type Verdict, judge } from './verdict.js'
import { asBefore, asPlanned, carriedFrom, released } from './wishes.js'
import type { Other, World } from './world.js'

export interface Played extends Verdict {
  readonly run: string
  readonly outcome: string
  readonly message: string
  /** Those that really came. */
  readonly faults: readonly Planned[]
  /** Of those that did not, why, and what else is worth a line. */
  readonly notes: readonly string[]
}

export async function play(ground: Ground, beginnings: Beginnings, it: Case): Promise<Played> {
  const { scenario } = it
  const before = await beginnings.reach(scenario)
  // Of a run before this one, which said that it left them.
  const there = await strays(ground)
  const known = beginnings.known
  const planned = asPlanned(scenario, before, known)
  const run = await start(ground, it, known.point?.id)
  const version = scenario.request['version'] === '2.1.1' ? '2.1.0' : '2.1.1'
  const others: Other[] = []
  const world: World = {
    ground,
    run,
    version,
    point: known.point?.id,
    wishes: {
      back: { ...(known.point ? asBefore(known.point.seen) : asBefore(before)), name: 'at 2.0.0', ...taken(known) },
      same: asBefore(before),
      release: released(version, before, known),
    },
    start: async (work, wish) => {
      const other = await work(ground.client, ground.sandbox.target)
      others.push({ run: other, wish, ended: attend(ground.client, other) })
      return other
    },
  }
  const happening = new Happening(world, new Tail(ground.state))
  const faults = it.inTurn ? [happening.happenInTurn(it.faults)] : it.faults.map((fault) => happening.happen(fault))
  const ended = await attend(ground.client, run, it.inTurn ? 2 * endsWithinMs : endsWithinMs)
  happening.over()
  await Promise.all(faults)
  await happening.mendAll()
  const main = { ...ended, wasReset: happening.came.some(({ fault }) => fault === 'run reset') }
  const takenAt = begunAt(ground.state, run, 'takeRestorePoint') ?? Infinity
  // Whoever finds the run's debt goes back to the run's own restore point first.
  const dated = (wish: Wish) => ({ ...wish, takenAt: Math.min(wish.takenAt, takenAt) })
  const othersEnded = await Promise.all(
    others.map(async (other) => ({ wish: dated(other.wish), ended: await other.ended })),
  )
  await ground.workers.ensureOne()
  const reconciled = await reconcile(ground, [main, ...othersEnded.map(({ ended }) => ended)])
  const leftovers = await settle(ground, scenario.wanted, there)
  const acknowledged = ground.writer.acknowledged
  const after = await look(ground)
  const verdict = judge({
    before,
    after,
    main,
    others: othersEnded,
    asBefore: { ...asBefore(before), takenAt },
    asPlanned: carriedFrom(planned, begunAt(ground.state, run, 'carryForward')),
    byHand: happening.byHand,
    acknowledged,
    elsewhere: exchangedBack(ground.state, run),
    leftovers: [...leftovers, ...reconciled],
    chain: ['ledger', 'audit'].flatMap((book) => chainProblems(join(ground.state, book))),
    // Beside other faults the run may have more to wait for than its worker.
    resumedAfterMs: it.inTurn || it.faults.length === 1 ? happening.resumedAfterMs : undefined,
  })
  ground.writer.keepOnly(after.rows, acknowledged.at(-1)?.number ?? 0)
  if (Object.keys(happening.byHand).length > 0) beginnings.leftSomewhere()
  else beginnings.left({ scenario, state: verdict.state, run })
  const { outcome, message } = main
  return { ...verdict, run, outcome: outcome ?? 'no end', message, faults: happening.came, notes: happening.notes }
}

function taken({ point }: Beginnings['known']): Pick<Wish, 'takenAt'> {
  return { takenAt: point?.takenAt ?? 0 }
}

async function start({ client, sandbox }: Ground, { scenario }: Case, point: string | undefined): Promise<string> {
  const request = { ...scenario.request, target: sandbox.target, reason: `chaos: ${scenario.name}` }
  switch (scenario.kind) {
    case 'deploy': {
      const version = String(scenario.request['version'])
      return await client.startDeploy({ ...request, version, release: sandbox.releases[version] })
    }
    case 'rollback':
      return await client.startRollback({ ...request, to: point! })
    case 'emergency':
      return await client.startEmergency(request as Parameters<StepbackClient['startEmergency']>[0])
    case 'backup':
      return await client.startBackup(request)
  }
}
