// Going back by a swap: the copy that proved a restore point takes the live one's place, next to a plain dump loaded anew.

import { observeExposure } from '../src/activities/observe/database.js'
import { readManifest } from '../src/activities/observe/manifests.js'
import type { Manifest } from '../src/plan/manifest.js'
import { Acts, forget } from './acts.js'
import { seconds } from './ground.js'
import { compare, inTurn, median } from './measurement.js'
import { Prober } from './prober.js'
import { compareAt, type DatabaseMeasurement, megabytes, type Place } from './sizes.js'

const copy = 'bench_loaded'

export const swap: DatabaseMeasurement = {
  at: async (place) => {
    const { ground, postgres, say } = place
    const plain = `${ground.target.backups}/bench.sql`
    await postgres.dump(plain, [])
    const { point, took } = await Acts.during(ground, prepared)
    const steps: number[] = []
    const ways = { ours: () => ours(place, point, steps), theirs: () => theirs(place, plain) }
    const times = await inTurn(ways, say, place.runs)
    await ground.shell(`rm -f ${plain}\n`)
    await postgres.drop(point.database!.warm!.name)
    await forget(ground, point)
    const disk = megabytes(await postgres.bytes())
    return [
      compareAt(place, {
        name: 'swap',
        unit: 's',
        ours: times.ours,
        peer: times.theirs,
        against: 'psql -f of a plain dump',
        goal: '100 times faster',
        limit: (peer) => peer / 100,
        note: `ours: from before the live database is closed to the first answer to the application's role, which connects anew; the whole step took ${median(steps).toFixed(2)} s; prepared by the proof: ${took.toFixed(0)} s, ${disk}`,
      }),
    ]
  },
  together: (results) => {
    const [smallest, largest] = [results[0]!, results.at(-1)!]
    return [
      compare({
        name: 'swap-growth',
        unit: 's',
        ours: [largest.ours],
        peer: [smallest.ours],
        against: `${largest.name} next to ${smallest.name}`,
        goal: 'at most 1.5 times',
        limit: (peer) => peer * 1.5,
        note: 'medians of the runs of each size',
      }),
    ]
  },
}

/** The restore point with its warm copy, and what the proof that left it took. */
export async function prepared(acts: Acts): Promise<{ readonly point: Manifest; readonly took: number }> {
  const { id } = await acts.takeRestorePoint()
  const took = await seconds(() => acts.do('proveRestorePoint', { from: id, keepCopy: true }))
  return { point: await readManifest(await acts.look(), id), took }
}

/** Swapped back behind the clock, so that each begins alike. */
async function ours({ ground, postgres, say }: Place, point: Manifest, steps: number[]): Promise<number> {
  const { visits: _, ...ready } = point.database!.warm!
  return await Acts.during(ground, async (acts) => {
    const shown = (await observeExposure(await acts.look(), point))!
    await postgres.settle()
    const arriving = new Prober(ground.sandbox.database, ready.oid).untilThere()
    const step = await seconds(() =>
      acts.do('swapDatabase', { from: point.id, mayLoseRows: 1_000_000, ready }, { shown }),
    )
    const took = await arriving
    steps.push(step)
    say(`the step took ${step.toFixed(2)} s, nothing answered for ${took.toFixed(3)} s`)
    await acts.do('swapDatabaseBack', {}, { undo: true })
    return took
  })
}

async function theirs({ postgres }: Place, plain: string): Promise<number> {
  await postgres.recreate(copy)
  await postgres.settle()
  const took = await seconds(() => postgres.load(copy, plain))
  await postgres.drop(copy)
  return took
}
