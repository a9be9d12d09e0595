// The time of a full rollback, next to the same commands in a plain script, and next to the procedure by hand.

import { byHand, dumpByHand } from './by-hand.js'
import { Ground, seconds } from './ground.js'
import { type Result, type Say, compare, inTurn, median } from './measurement.js'
import { type PlainScript, plainScript } from './plain-script.js'

const strategies = ['auto', 'restore'] as const

export async function measureRollback(say: Say): Promise<readonly Result[]> {
  return await Ground.during(say, (ground) =>
    ground.withWorker(async () => {
      await dumpByHand(ground)
      // Named, since a plain rollback goes past the ledger, which then takes 2.1.0 for what runs.
      const to = await ground.deploy()
      const scripts = {} as Record<(typeof strategies)[number], PlainScript>
      // Not measured: the first of each is what the plain script is made from.
      for (const strategy of strategies) {
        scripts[strategy] = await plainScript(ground, await ground.rollback({ to, strategy }))
        await ground.deploy()
      }
      const times = await inTurn(ways(ground, scripts, to), say)
      const planning = await planningSeconds(ground, to)
      return strategies.flatMap((strategy) => rows(strategy, times, planning))
    }),
  )
}

function ways(ground: Ground, scripts: Record<(typeof strategies)[number], PlainScript>, to: string) {
  const from =
    (work: () => Promise<unknown>, before = '') =>
    async () => {
      await ground.deploy()
      await ground.shell(before)
      return await seconds(work)
    }
  const plain = ({ script, before }: PlainScript) => from(() => ground.shell(script), before)
  return {
    auto: from(() => ground.rollback({ to, strategy: 'auto' })),
    'auto, plain': plain(scripts.auto),
    restore: from(() => ground.rollback({ to, strategy: 'restore' })),
    'restore, plain': plain(scripts.restore),
    'by hand': from(() => ground.shell(byHand(ground))),
  }
}

/** A dry run looks and plans, and does nothing else: what a plain script has no counterpart for. */
async function planningSeconds(ground: Ground, to: string): Promise<number> {
  const times: number[] = []
  await ground.deploy()
  for (let run = 0; run < 3; run++) times.push(await seconds(() => ground.rollback({ to, dryRun: true })))
  return median(times)
}

function rows(
  strategy: (typeof strategies)[number],
  times: Readonly<Record<string, readonly number[]>>,
  planning: number,
): Result[] {
  const name = strategy === 'auto' ? 'rollback' : `rollback-${strategy}`
  const ours = times[strategy]!
  const looks = `ours looks and plans first, ${planning.toFixed(2)} s, and glances again under the lease`
  return [
    compare({
      name,
      unit: 's',
      ours,
      peer: times[`${strategy}, plain`]!,
      against: 'the same host commands in a plain script',
      goal: 'at most 10 % + 1 s over',
      limit: (peer) => peer * 1.1 + 1,
      note: `${looks}, which the script does not; both wait for the same health checks`,
    }),
    compare({
      name,
      unit: 's',
      ours,
      peer: times['by hand']!,
      against: 'the procedure by hand, typed without a pause',
      goal: 'not slower',
      limit: (peer) => peer,
      note: 'by hand: all containers down, compose file and database back; no safety copy, no other files, no images, no comparison',
    }),
  ]
}
