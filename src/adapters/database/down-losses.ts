// What reverting migrations would drop, without touching a database: their downs run against a runner that only listens.

import type { MigrationInterface, QueryRunner } from 'typeorm'
import type { MigrationClass } from './migrations.js'

export interface DownLosses {
  /** Tables as the downs name them. */
  readonly tables: readonly string[]
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
    heard.push(found ? lossesOf(await listen((runner) => found.migration.down(runner))) : { tables: [], unclear: true })
  }
  return { tables: heard.flatMap((it) => it.tables), unclear: heard.some((it) => it.unclear) }
}

/** Whether a migration has a down that says anything: one that is missing, empty, or throws at once has none. */
export async function saysDown(migration: MigrationInterface): Promise<boolean> {
  if (typeof (migration.down as unknown) !== 'function') return false
  const { statements, others } = await listen((runner) => migration.down(runner))
  return statements.length > 0 || others
}

interface Heard {
  readonly statements: readonly string[]
  /** Something else of the runner was touched than its queries. */
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

function lossesOf({ statements, others, threw }: Heard): DownLosses {
  return { tables: statements.flatMap(droppedTables), unclear: others || threw || statements.some(changesRows) }
}

function droppedTables(statement: string): string[] {
  const [, names] = /^drop table (?:if exists )?(.+?)(?: cascade| restrict)?$/i.exec(statement) ?? []
  return names === undefined ? [] : names.split(',').map((name) => name.trim())
}

/** Whatever is not plainly about the schema's own objects may change rows. */
function changesRows(statement: string): boolean {
  return !/^(drop|create|alter|comment|grant|revoke|set|select) /i.test(statement)
}
