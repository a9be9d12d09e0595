// Going back by a restore: built beside the live database, compared, analyzed and swapped in, next to pg_restore alone.

import { observeExposure } from '../src/activities/observe/database.js'
import type { Manifest } from '../src/plan/manifest.js'
import { Acts, forget } from './acts.js'
import { seconds, timed } from './ground.js'
import { inTurn } from './measurement.js'
import { compareAt, type DatabaseMeasurement, megabytes, type Place } from './sizes.js'
import { Writer } from './writer.js'

const copy = 'bench_restored'

export const restore: DatabaseMeasurement = {
  at: async (place) => {
    const { ground, postgres, say } = place
    const point = await Acts.during(ground, (acts) => timed(() => acts.takeRestorePoint()))
    const file = await postgres.bring(`${ground.target.backups}/${point.value.database!.file}`)
    const gaps: number[] = []
    const ways = { ours: () => ours(place, point.value, gaps), theirs: () => theirs(place, file) }
    const times = await inTurn(ways, say, place.runs)
    await forget(ground, point.value)
    const prepared = `prepared by taking the restore point, ${point.took.toFixed(1)} s, ${megabytes(dumpOf(point.value))}`
    const built = `${megabytes(await postgres.bytes())} for the database beside the live one`
    return [
      compareAt(place, {
        name: 'restore',
        unit: 's',
        ours: times.ours,
        peer: times.theirs,
        against: 'bare pg_restore -j2',
        goal: 'at most 1.35 times',
        limit: (peer) => peer * 1.35,
        note: `ours: build, analyze, compare, properties, swap, under a lease; ${prepared}; needs ${built}`,
      }),
      compareAt(place, {
        name: 'restore-downtime',
        unit: 's',
        ours: gaps,
        peer: times.theirs,
        against: 'the whole restore, as by hand',
        goal: 'at most 2 s',
        limit: () => 2,
        note: `the longest time in which no write of an application went through while the database was restored; ${prepared}`,
      }),
    ]
  },
}

/** Under a lease of its own, since a run swaps once; swapped back behind the clock, so that each begins alike. */
async function ours({ ground, postgres, say }: Place, { id, ...rest }: Manifest, gaps: number[]): Promise<number> {
  return await Acts.during(ground, async (acts) => {
    const shown = (await observeExposure(await acts.look(), { id, ...rest }))!
    await postgres.settle()
    const writer = new Writer(ground.sandbox.database)
    const build = await seconds(() => acts.do('restoreDatabase', { from: id }))
    const swap = await seconds(() => acts.do('swapDatabase', { from: id, mayLoseRows: 1_000_000 }, { shown }))
    const gap = await writer.stop()
    gaps.push(gap)
    say(`built in ${build.toFixed(2)} s, swapped in ${swap.toFixed(2)} s, no write for ${gap.toFixed(2)} s`)
    await acts.do('swapDatabaseBack', {}, { undo: true })
    await acts.do('dropNewDatabase', {}, { undo: true })
    return build + swap
  })
}

/** With the same application beside it. */
async function theirs({ ground, postgres }: Place, file: string): Promise<number> {
  await postgres.recreate(copy)
  await postgres.settle()
  const writer = new Writer(ground.sandbox.database)
  const took = await seconds(() => postgres.restore(copy, file))
  await writer.stop()
  await postgres.drop(copy)
  return took
}

function dumpOf({ files, database }: Manifest): number {
  return files.find((it) => it.name === database!.file)!.bytes
}
