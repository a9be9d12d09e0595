// Saying what going back would lose: every table exactly, and by counters alone.

import pg from 'pg'
import { withTunnel } from '../src/activities/database-access.js'
import { asUser, observeExposure } from '../src/activities/observe/database.js'
import type { Look } from '../src/activities/observe/look.js'
import { nothingRemembered, type TargetDatabase, writesSince } from '../src/adapters/database.js'
import type { Manifest } from '../src/plan/manifest.js'
import type { Exposure } from '../src/plan/plan.js'
import { Acts, forget } from './acts.js'
import { seconds } from './ground.js'
import { inTurn, median, type Result } from './measurement.js'
import { compareAt, type DatabaseMeasurement, type Place } from './sizes.js'

/** Of the goal. */
const perRows = 5_000_000

export const exposure: DatabaseMeasurement = {
  at: (place) =>
    Acts.during(place.ground, async (acts) => {
      const point = await acts.takeRestorePoint()
      const look = await acts.look()
      const results = await withTunnel(asUser(look), 'bench', async (address) => {
        const live = await acts.deps.database.TargetDatabase.connect(address)
        return await measured(place, { look, live, point }).finally(() => live.end())
      })
      await forget(place.ground, point)
      return results
    }),
}

interface Counting {
  readonly look: Look
  readonly live: TargetDatabase
  readonly point: Manifest
}

async function measured(place: Place, counting: Counting): Promise<readonly Result[]> {
  const { look, live, point } = counting
  const count = async () => await live.exposure(point.database!, { ...nothingRemembered, taken: true })
  const { counters: before } = await count()
  await place.postgres.sql(writes)
  const ways = {
    exact: () => seconds(async () => ensure((await count()).exposure)),
    'count(*)': () => seconds(() => countEveryTable(place)),
    counters: () => seconds(async () => ensure(writesSince({ before, after: await live.counters() }))),
    'all around it': () => seconds(async () => ensure((await observeExposure(look, point))!.exposure)),
  }
  const times = await inTurn(ways, place.say, place.runs)
  return rows(place, times, await countEveryTable(place))
}

function rows(
  place: Place,
  times: Readonly<Record<'exact' | 'count(*)' | 'counters' | 'all around it', readonly number[]>>,
  count: number,
): readonly Result[] {
  const scaled = (values: readonly number[]) => values.map((it) => (it * perRows) / count)
  const whole = `${median(times['all around it']).toFixed(2)} s with the tunnel, the login and the journal`
  return [
    compareAt(place, {
      name: 'exposure',
      unit: 's per 5 million rows',
      ours: scaled(times.exact),
      peer: scaled(times['count(*)']),
      against: 'bare count(*) of every table',
      goal: 'at most 1 s',
      limit: () => 1,
      note: `${count} rows in ${median(times.exact).toFixed(2)} s, ${whole}; every figure was the right one; needs no preparation`,
    }),
    compareAt(place, {
      name: 'exposure-counters',
      unit: 's',
      ours: times.counters,
      peer: times.exact,
      against: 'the exact count',
      goal: 'at most 0.2 s',
      limit: () => 0.2,
      note: 'as read again behind the closed door; needs no preparation',
    }),
  ]
}

const written = { inserted: 1_000, updated: 1_000, deleted: 50 }

/** What an application wrote since: newer rows than any, and older ones changed and removed. */
const writes = `
update messages set tokens_output = 1 where id in (select id from messages order by created_at limit ${written.updated});
delete from messages where id in (select id from messages order by created_at offset 5000 limit ${written.deleted});
insert into messages (session_id, role, content) select s.id, 'user', 'written since'
from (select id from sessions limit 1) s, generate_series(1, ${written.inserted});`

/** A fast wrong answer is none. */
function ensure(found: Exposure | undefined): void {
  const [table] = found?.tables ?? []
  const right = found?.tables.length === 1 && table?.table === 'messages'
  const figures = { inserted: table?.inserted, updated: table?.updated, deleted: table?.deleted }
  if (right && JSON.stringify(figures) === JSON.stringify(written)) return
  throw new Error(`the exposure should be ${JSON.stringify(written)} in messages and is ${JSON.stringify(found)}`)
}

async function countEveryTable({ ground }: Place): Promise<number> {
  const client = new pg.Client({ connectionString: ground.sandbox.database })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    )
    let sum = 0
    for (const { name } of tables) sum += Number((await client.query(`select count(*) from ${name}`)).rows[0].count)
    return sum
  } finally {
    await client.end()
  }
}
