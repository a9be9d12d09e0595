import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Candidate } from '../../../src/adapters/database/carry/candidates.js'
import { orphansAmong } from '../../../src/adapters/database/carry/orphans.js'
import { readRelations } from '../../../src/adapters/database/carry/relations.js'
import { Session } from '../../../src/adapters/database/session.js'
import { type TestPostgres, startPostgres } from '../../support/postgres.js'

let server: TestPostgres
let session: Session

beforeAll(async () => {
  server = await startPostgres()
  await server.query('postgres', `create database app`)
  await server.query(
    'app',
    `create schema "odd one"; create domain "odd one".code as text check (value <> '');
     create table "odd one"."parent's" (id bigint, code "odd one".code, primary key (id, code));
     create table child (id int primary key, p bigint, c "odd one".code, boss int references child,
       foreign key (p, c) references "odd one"."parent's");
     insert into "odd one"."parent's" values (1, 'a'), (2, 'b')`,
  )
  const { host, port, user, password } = server
  session = await Session.connect({
    host,
    port,
    user,
    password,
    database: 'app',
    applicationName: 'stepback:t:1:carry',
  })
})
afterAll(async () => {
  await session?.end()
  await server?.stop()
})

async function orphans(
  constraint: string,
  values: readonly (readonly (string | null)[])[],
  change = (it: string) => it,
) {
  const home = (await readRelations(session)).find((it) => it.name === 'child')!
  const key = home.foreignKeys.find((it) => it.name === constraint)!
  const columns = home.columns.map((it) => (it.name === 'c' ? { ...it, type: change(it.type) } : it))
  const rows: Candidate[] = values.map((row) => ({ values: row, migrated: false }))
  const found = await orphansAmong(session, { table: { ...home, columns }, home, key }, rows)
  return found.map((it) => it.values[0])
}

const mixed = [
  ['1', '1', 'a', null],
  ['2', '1', 'b', null],
  ['3', null, 'x', null],
  ['4', '3', `it's $1`, null],
] as const

test('are those whose key has no parent; without a value in each column there is nothing to miss', async () => {
  expect(await orphans('child_p_c_fkey', mixed)).toEqual(['2', '4'])
})

test('are not told where the parent may be among the rows themselves, or the columns are of other types', async () => {
  expect(
    await orphans('child_boss_fkey', [
      ['1', null, null, '2'],
      ['2', null, null, null],
    ]),
  ).toEqual([])
  expect(await orphans('child_p_c_fkey', mixed, () => 'text')).toEqual([])
})
