// What reverting migrations would drop, without touching a database: their downs run against a runner that only listens.

import type { QueryRunner } from 'typeorm'
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
    heard.push(found ? await listen((runner) => found.migration.down(runner)) : { tables: [], unclear: true })
  }
  return { tables: heard.flatMap((it) => it.tables), unclear: heard.some((it) => it.unclear) }
}

async function listen(down: (runner: QueryRunner) => Promise<unknown>): Promise<DownLosses> {
  const statements: string[] = []
  let unclear = false
  const query = (sql: string): Promise<never[]> => {
    statements.push(...sql.split(';'))
    return Promise.resolve([])
  }
  const others = () => {
    unclear = true
    return Promise.resolve(undefined)
  }
  const runner = new Proxy({}, { get: (_target, key) => (key === 'query' ? query : others) }) as QueryRunner
  await down(runner).catch(() => (unclear = true))
  const heard = statements.map((it) => it.replaceAll(/\s+/g, ' ').trim()).filter((it) => it !== '')
  return { tables: heard.flatMap(droppedTables), unclear: unclear || heard.some(changesRows) }
}

function droppedTables(statement: string): string[] {
  const [, names] = /^drop table (?:if exists )?(.+?)(?: cascade| restrict)?$/i.exec(statement) ?? []
  return names === undefined ? [] : names.split(',').map((name) => name.trim())
}

/** Whatever is not plainly about the schema's own objects may change rows. */
function changesRows(statement: string): boolean {
  return !/^(drop|create|alter|comment|grant|revoke|set|select) /i.test(statement)
}
