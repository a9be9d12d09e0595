// Emergency procedures, next to the commands that they run, typed without a pause.

import { type Procedure, procedures } from '../src/plan/request.js'
import { Acts } from './acts.js'
import { Ground, seconds } from './ground.js'
import { type Result, type Say, compare, inTurn } from './measurement.js'
import { firstCommandAt, plainScript } from './plain-script.js'
import { prepared } from './swap.js'

/** What there is before: `start` brings it up, each of the others finds it running. */
function before(procedure: Procedure): Procedure {
  return procedure === 'start' ? 'stop' : 'start'
}

export async function measureEmergency(say: Say): Promise<readonly Result[]> {
  return await Ground.during(say, (ground) =>
    ground.withWorker(async () => {
      await ground.deploy()
      await Acts.during(ground, prepared) // what a damaged database is exchanged for
      const first: number[] = []
      const ways: Record<string, () => Promise<number>> = {}
      for (const procedure of procedures) {
        // Not measured: what the plain script is made from.
        await ground.emergency(before(procedure))
        const plainly = await plainScript(ground, await ground.emergency(procedure))
        ways[procedure] = async () => {
          await ground.emergency(before(procedure))
          const asked = Date.now()
          const took = await seconds(() => ground.emergency(procedure))
          if (procedure === 'stop') first.push((firstCommandAt(ground) - asked) / 1_000)
          return took
        }
        ways[plain(procedure)] = async () => {
          await ground.emergency(before(procedure))
          await ground.shell(plainly.before)
          return await seconds(() => ground.shell(plainly.script))
        }
      }
      const times = await inTurn(ways, say)
      return [...procedures.map((it) => row(it, times)), firstAct(first, times[plain('stop')]!)]
    }),
  )
}

function plain(procedure: Procedure): string {
  return `${procedure}, plain`
}

function row(procedure: Procedure, times: Readonly<Record<string, readonly number[]>>): Result {
  return compare({
    name: `emergency-${procedure}`,
    unit: 's',
    ours: times[procedure]!,
    peer: times[plain(procedure)]!,
    against: 'the commands that it runs, in a plain script',
    goal: 'at most 10 % + 1 s over',
    limit: (peer) => peer * 1.1 + 1,
    note: 'from the request to the end of the run, its look at what is there then and its note included',
  })
}

function firstAct(first: readonly number[], peer: readonly number[]): Result {
  return compare({
    name: 'emergency-first-act',
    unit: 's',
    ours: first,
    peer,
    against: 'all of the plain stop',
    goal: 'at most 2 s',
    limit: () => 2,
    note: 'from the request to the start, on the host, of the command that stops the application',
  })
}
