import type { MigrationInterface, QueryRunner } from 'typeorm'
import { describe, expect, test } from 'vitest'
import { listenToDowns } from '../../../src/adapters/database.js'
import { migrations } from '../../../src/migrations/index.js'

const full = (revision: string) => migrations.map((it) => new it().name).find((name) => name.startsWith(revision))!

/** A migration whose down is this. */
function reverting(down: (runner: QueryRunner) => Promise<unknown>) {
  return class implements MigrationInterface {
    readonly name = 'm1700000000001'
    async up(): Promise<void> {}
    async down(runner: QueryRunner): Promise<void> {
      await down(runner)
    }
  }
}

const hear = (down: (runner: QueryRunner) => Promise<unknown>) =>
  listenToDowns({ migrations: [reverting(down)], names: ['m1700000000001'] })

describe('listening to downs', () => {
  test('hears which tables they drop, newest migration first', async () => {
    const names = [full('a007'), full('a006'), full('a005')]
    expect(await listenToDowns({ migrations, names })).toEqual({
      tables: ['pheromone_scores', 'scheduler_history'],
      columns: ['engine_version', 'agent_id'].map((column) => ({ table: 'messages', column })),
      unclear: false,
    })
  })

  test.each([
    ['several tables at once', 'DROP TABLE IF EXISTS "a", s."b" CASCADE; drop index i', ['"a"', 's."b"'], []],
    ['a column and an index', 'alter table a drop column b; drop index i', [], ['a b']],
    [
      'columns among other changes',
      'ALTER TABLE IF EXISTS ONLY s."T" DROP COLUMN IF EXISTS "b ""c" CASCADE, alter d drop default, drop E',
      [],
      ['s."T" b "c', 's."T" e'],
    ],
    [
      'a constraint as none',
      'alter table a drop constraint b, alter column c drop not null, drop constraint if exists d',
      [],
      [],
    ],
  ])('reads %s', async (_what, sql, tables, columns) => {
    const heard = await hear((runner) => runner.query(sql))
    expect({ ...heard, columns: heard.columns.map((it) => `${it.table} ${it.column}`) }).toEqual({
      tables,
      columns,
      unclear: false,
    })
  })

  test.each([
    ['changes rows', (runner: QueryRunner) => runner.query('update a set b = 1')],
    ['empties a table', (runner: QueryRunner) => runner.query('truncate a')],
    ['hides its words in a block', (runner: QueryRunner) => runner.query('do $$ begin end $$')],
    ['drops a schema', (runner: QueryRunner) => runner.query('drop schema s')],
    ['drops a type and what has it', (runner: QueryRunner) => runner.query('drop type mood cascade')],
    ['uses more than queries', (runner: QueryRunner) => runner.dropTable('a')],
    ['throws', () => Promise.reject(new Error('no'))],
  ])('cannot tell where one %s', async (_what, down) => {
    expect((await hear(down)).unclear).toBe(true)
  })

  test('cannot tell of a migration that it does not know', async () => {
    expect((await listenToDowns({ migrations, names: ['b1700000000009'] })).unclear).toBe(true)
  })
})
