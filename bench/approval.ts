// From a person's approval to the first answer of the database that was gone back to: the whole run, Temporal included.

import { Acts, forget } from './acts.js'
import type { Ground } from './ground.js'
import { median } from './measurement.js'
import { Prober } from './prober.js'
import { compareAt, type DatabaseMeasurement, megabytes, type Place } from './sizes.js'
import { prepared } from './swap.js'

export const approval: DatabaseMeasurement = {
  at: async (place) => {
    const found = await place.ground.withWorker(() => thereAndBack(place))
    const [answers, stops] = [found.map((it) => it.answered), found.map((it) => it.stopped)]
    const stopping = `stopping (${median(stops).toFixed(2)} s)`
    const disk = megabytes(await place.postgres.bytes())
    return [
      compareAt(place, {
        name: 'approval',
        unit: 's',
        ours: answers,
        peer: stops,
        against: 'the step that stops the application, alone',
        goal: 'at most 2 s over',
        limit: (peer) => peer + 2,
        note: `ours: from the approval of a rollback of the database by swap to the first answer to the application's role, with Temporal: the lease, a second look and plan, the restore point, the images, ${stopping}, the exchange; prepared by the proof, as for the swap, ${disk}`,
      }),
    ]
  },
}

interface Gone {
  readonly answered: number
  readonly stopped: number
  readonly safety: string
}

/** To a copy that a proof left, and back to the database that was kept for it: each is a rollback that a person approves. */
async function thereAndBack(place: Place): Promise<readonly Gone[]> {
  const { ground, postgres } = place
  const found: Gone[] = []
  while (found.length < place.runs) {
    const live = Number(await postgres.sql(`select oid from pg_database where datname = '${postgres.live}';`))
    const { point } = await Acts.during(ground, prepared)
    const there = await approved(ground, point.id, point.database!.warm!.oid)
    const back = await approved(ground, there.safety, live)
    for (const it of [there, back]) {
      found.push(it)
      place.say(
        `run ${found.length} of ${place.runs}, approval: ${it.answered.toFixed(2)}, of it stopping ${it.stopped.toFixed(2)}`,
      )
    }
    await forget(ground, point)
    for (const name of await keptBy(place)) await postgres.drop(name)
  }
  return found
}

async function keptBy({ postgres }: Place): Promise<readonly string[]> {
  const names = await postgres.sql(`select datname from pg_database where strpos(datname, '__before_') > 0;`)
  return names.split('\n').filter((name) => name !== '')
}

async function approved(ground: Ground, to: string, oid: number): Promise<Gone> {
  const { run, digest } = await ground.ask({ to, scope: 'database', strategy: 'swap', approval: 'always' })
  const prober = new Prober(ground.sandbox.database, oid)
  const arriving = prober.untilThere()
  const began = performance.now()
  await ground.client.approve(run, { by: 'bench', digest })
  const answering = arriving.then(() => (performance.now() - began) / 1_000)
  // One that fails brings no other database.
  const { steps, restorePoint } = await ground.end(run).finally(() => prober.stop())
  const answered = await answering
  const stop = steps.find((it) => it.name === 'stopServices')!
  const stopped = (Date.parse(stop.finishedAt!) - Date.parse(stop.startedAt!)) / 1_000
  return { answered, stopped, safety: restorePoint! }
}
