// Taking a restore point, next to the dump alone.

import { Acts, forget } from './acts.js'
import { seconds, timed } from './ground.js'
import { inTurn } from './measurement.js'
import { compareAt, type DatabaseMeasurement, type Place } from './sizes.js'

export const take: DatabaseMeasurement = {
  at: async (place) => {
    const { ground, postgres, say } = place
    const file = `${ground.target.backups}/bench.dump`
    const dump = (flags: readonly string[]) => async () => {
      await postgres.settle()
      return await seconds(() => postgres.dump(file, flags))
    }
    const ways = {
      ours: () => taken(place),
      'pg_dump -Fc': dump(['-Fc']),
      'pg_dump -Fc -Z zstd:1': dump(['-Fc', '-Z', 'zstd:1']),
    }
    const times = await inTurn(ways, say, place.runs)
    await ground.shell(`rm -f ${file}\n`)
    const common = { name: 'take', unit: 's', ours: times.ours }
    return (['pg_dump -Fc', 'pg_dump -Fc -Z zstd:1'] as const).map((against) =>
      compareAt(place, {
        ...common,
        peer: times[against],
        against,
        goal: 'at most 1.5 times',
        limit: (peer) => peer * 1.5,
        note: 'ours: files, dump, a count and a hash of every table in the same snapshot, checksums, the manifest; needs no preparation',
      }),
    )
  },
}

async function taken({ ground, postgres }: Place): Promise<number> {
  return await Acts.during(ground, async (acts) => {
    await postgres.settle()
    const { value, took } = await timed(() => acts.takeRestorePoint())
    await forget(ground, value)
    return took
  })
}
