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
      unclear: false,
    })
  })

  test.each([
    ['several tables at once', 'DROP TABLE IF EXISTS "a", s."b" CASCADE; drop index i', ['"a"', 's."b"']],
    ['columns and indexes', 'alter table a drop column b; drop index i', []],
  ])('reads %s', async (_what, sql, tables) => {
    expect(await hear((runner) => runner.query(sql))).toEqual({ tables, unclear: false })
  })

  test.each([
    ['changes rows', (runner: QueryRunner) => runner.query('update a set b = 1')],
    ['empties a table', (runner: QueryRunner) => runner.query('truncate a')],
    ['hides its words in a block', (runner: QueryRunner) => runner.query('do $$ begin end $$')],
    ['uses more than queries', (runner: QueryRunner) => runner.dropTable('a')],
    ['throws', () => Promise.reject(new Error('no'))],
  ])('cannot tell where one %s', async (_what, down) => {
    expect((await hear(down)).unclear).toBe(true)
  })

  test('cannot tell of a migration that it does not know', async () => {
    expect((await listenToDowns({ migrations, names: ['b1700000000009'] })).unclear).toBe(true)
  })
})
