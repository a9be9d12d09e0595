// Reverting migrations in a worker that is there already, next to the command that an operator of Alembic starts.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../src/config/schema.js'
import { Acts, forget } from './acts.js'
import { Alembic, type TwinMigration } from './alembic.js'
import { type Ground, seconds } from './ground.js'
import { inTurn, type Result } from './measurement.js'
import { compareAt, type DatabaseMeasurement, type Place } from './sizes.js'

/** As a006 of the reference stack, twenty times: dropping columns of one table again and again would use it up. */
const twins: readonly TwinMigration[] = Array.from({ length: 20 }, (_, index) => ({
  up: `create table twin_${index + 1} (agent_id varchar(100) not null, skill varchar(100) not null,
    score double precision not null default 0.5, created_at timestamptz not null default now(), primary key (agent_id, skill))`,
  down: `drop table twin_${index + 1}`,
}))
const names = twins.map((_, index) => `b${index + 1}_twin${1_800_000_000_001 + index}`)

export const migrate: DatabaseMeasurement = {
  at: async (place) => {
    const directory = mkdtempSync(join(tmpdir(), 'stepback-bench-'))
    try {
      const config = withTwins(place.ground, directory)
      const alembic = await Alembic.project(join(directory, 'alembic'), {
        database: place.ground.sandbox.database,
        migrations: twins,
        say: place.say,
      })
      // Its own table is made before the schema is recorded.
      await alembic.upgrade('+1')
      await alembic.downgrade('base')
      return await Acts.during(place.ground, (acts) => measured(place, acts, alembic), config)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

async function measured(place: Place, acts: Acts, alembic: Alembic): Promise<readonly Result[]> {
  const point = await acts.takeRestorePoint()
  const ours = (count: number) => async () => {
    await acts.do('migrateUp', { migrations: names.slice(0, count) })
    const migrations = names.slice(0, count).toReversed()
    return await seconds(() => acts.do('migrateDown', { migrations, schemaOf: point.id }))
  }
  const theirs =
    (up: string, down: string, times = 1) =>
    async () => {
      await alembic.upgrade(up)
      return await seconds(async () => {
        for (let time = 0; time < times; time++) await alembic.downgrade(down)
      })
    }
  const times = await inTurn(
    {
      one: ours(1),
      'one by alembic': theirs('+1', '-1'),
      twenty: ours(20),
      'twenty by twenty of alembic': theirs('head', '-1', 20),
      'twenty by one of alembic': theirs('head', '-20'),
    },
    place.say,
    place.runs,
  )
  await forget(place.ground, point)
  const faster = (goal: number) => ({ goal: `${goal} times faster`, limit: (peer: number) => peer / goal })
  const row = (name: string, against: string, it: { ours: readonly number[]; peer: readonly number[] }, goal: number) =>
    compareAt(place, { name, unit: 's', against, ...it, ...faster(goal), note })
  return [
    row('migrate', 'alembic downgrade -1', { ours: times.one, peer: times['one by alembic'] }, 5),
    row(
      'migrate-20',
      'twenty alembic downgrade -1',
      { ours: times.twenty, peer: times['twenty by twenty of alembic'] },
      10,
    ),
    row('migrate-20', 'one alembic downgrade -20', { ours: times.twenty, peer: times['twenty by one of alembic'] }, 3),
  ]
}

const note =
  'ours: the step as the worker runs it, with lease, ledger, journal, login, tunnel and the comparison of the schema before the commit; ' +
  'theirs: the command, of which most is the start of a process, which ours has behind it; no preparation on either side'

/** A configuration whose migrations are the twins, compiled. */
function withTwins(ground: Ground, directory: string): Config {
  const migrations = join(directory, 'migrations')
  mkdirSync(migrations)
  const classes = twins.map(({ up, down }, index) => {
    const name = JSON.stringify(names[index])
    return `  class { name = ${name}; up(runner) { return runner.query(${JSON.stringify(up)}) } down(runner) { return runner.query(${JSON.stringify(down)}) } },`
  })
  writeFileSync(join(migrations, 'twins.mjs'), `export const migrations = [\n${classes.join('\n')}\n]\n`)
  const { name, ...target } = ground.target
  const database = { ...target.database!, migrations }
  return { ...ground.config, targets: { ...ground.config.targets, [name]: { ...target, database } } } as Config
}
