// What reverting migrations would drop, without touching a database: their downs run against a runner that only listens.

import type { MigrationInterface, QueryRunner } from 'typeorm'
import type { MigrationClass } from './migrations.js'
import { type Dropped, dropsOf, isUnclear } from './dropped.js'

export interface DownLosses extends Dropped {
  /** A down changes rows, or speaks in a way that cannot be read here: nobody knows what it loses. */
  readonly unclear: boolean
}

/** Listens to the downs of the named migrations. */
export async function listenToDowns(input: {
  readonly migrations: readonly MigrationClass[]
  readonly names: readonly string[]
}): Promise<DownLosses> {
  const instances = input.migrations.map((it) => ({ name: new it().name ?? it.name, migration: new it() }))
  const heard: DownLosses[] = []
  for (const name of input.names) {
    const found = instances.find((it) => it.name === name)
    heard.push(found ? lossesOf(await listen((runner) => found.migration.down(runner))) : unknown)
  }
  return {
    tables: heard.flatMap((it) => it.tables),
    columns: heard.flatMap((it) => it.columns),
    unclear: heard.some((it) => it.unclear),
  }
}

/** Why a migration cannot be reverted, as far as its down says so by itself; null where it says something to do. */
export async function whyIrreversible(migration: MigrationInterface): Promise<string | null> {
  if (typeof (migration.down as unknown) !== 'function') return 'it has no down'
  const { statements, others, threw } = await listen((runner) => migration.down(runner))
  if (statements.length > 0 || others) return null
  return threw ? 'its down throws' : 'its down is empty'
}

interface Heard {
  readonly statements: readonly string[]
  /** Something else of the runner was touched than what can be read here. */
  readonly others: boolean
  readonly threw: boolean
}

async function listen(down: (runner: QueryRunner) => Promise<unknown>): Promise<Heard> {
  const statements: string[] = []
  let others = false
  const query = (sql: string): Promise<never[]> => {
    statements.push(...sql.split(';'))
    return Promise.resolve([])
  }
  const other = () => {
    others = true
    return () => Promise.resolve(undefined)
  }
  const runner = new Proxy({}, { get: (_target, key) => (key === 'query' ? query : other()) }) as QueryRunner
  const threw = await Promise.resolve()
    .then(() => down(runner))
    .then(
      () => false,
      () => true,
    )
  return {
    statements: statements.map((it) => it.replaceAll(/\s+/g, ' ').trim()).filter((it) => it !== ''),
    others,
    threw,
  }
}

const unknown: DownLosses = { tables: [], columns: [], unclear: true }

function lossesOf({ statements, others, threw }: Heard): DownLosses {
  const drops = statements.map(dropsOf)
  return {
    tables: drops.flatMap((it) => it.tables),
    columns: drops.flatMap((it) => it.columns),
    unclear: others || threw || statements.some(isUnclear),
  }
}
