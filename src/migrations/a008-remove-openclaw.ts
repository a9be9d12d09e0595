// The legacy columns go, with their content: nothing could put them back, so going back is a restore.

import type { MigrationInterface, QueryRunner } from 'typeorm'

const tables = ['sessions', 'messages', 'agent_state', 'scheduler_jobs', 'scheduler_history', 'pheromone_scores']

export class A008RemoveOpenclaw implements MigrationInterface {
  static readonly irreversible = true

  readonly name = 'a008_remove_openclaw1700000000008'

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of tables) {
      const columns = await openclawColumns(queryRunner, table)
      if (columns.length > 0) await dropAndRecord(queryRunner, table, columns)
    }
  }

  async down(): Promise<void> {
    throw new Error('a008_remove_openclaw is irreversible: the openclaw columns come back by a restore from a backup')
  }
}

async function openclawColumns(queryRunner: QueryRunner, table: string): Promise<readonly string[]> {
  const rows: readonly { name: string }[] = await queryRunner.query(
    `select attname as name from pg_attribute
     where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and starts_with(attname, 'openclaw_')
     order by attnum`,
    [table],
  )
  return rows.map((row) => row.name)
}

// Recorded in the table's comment: it travels with every dump, and adds no table that the application does not know.
async function dropAndRecord(queryRunner: QueryRunner, table: string, columns: readonly string[]): Promise<void> {
  const [{ comment }] = await queryRunner.query(`select obj_description(to_regclass($1), 'pg_class') as comment`, [
    table,
  ])
  const record = `a008_remove_openclaw dropped ${columns.join(', ')}`
  const both = [comment, record].filter(Boolean).join('\n')
  const drops = columns.map((column) => `drop column "${column.replaceAll('"', '""')}"`)
  await queryRunner.query(`alter table ${table} ${drops.join(', ')}`)
  await queryRunner.query(`comment on table ${table} is '${both.replaceAll("'", "''")}'`)
}
