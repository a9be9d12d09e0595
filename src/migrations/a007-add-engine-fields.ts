// Which engine wrote a message, for which agent. A constant default does not rewrite the table.

import type { MigrationInterface, QueryRunner } from 'typeorm'

export class A007AddEngineFields implements MigrationInterface {
  readonly name = 'a007_add_engine_fields1700000000007'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      alter table messages
        add column agent_id varchar(100),
        add column engine_version varchar(20) not null default '2.0.0'
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('alter table messages drop column engine_version, drop column agent_id')
  }
}
