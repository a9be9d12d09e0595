// Conversations. Everything that Aria remembers of one hangs on its row here.

import type { MigrationInterface, QueryRunner } from 'typeorm'

export class A001Sessions implements MigrationInterface {
  readonly name = 'a001_sessions1700000000001'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table sessions (
        id uuid primary key default gen_random_uuid(),
        title varchar(500),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        is_protected boolean not null default false,
        agent_id varchar(100),
        metadata jsonb not null default '{}'::jsonb,
        message_count integer not null default 0,
        engine_version varchar(20) not null default '2.0.0'
      )
    `)
    await queryRunner.query('create index ix_sessions_created_at on sessions (created_at)')
    await queryRunner.query('create index ix_sessions_agent_id on sessions (agent_id)')
    await queryRunner.query('create index ix_sessions_updated_at on sessions (updated_at)')
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table sessions')
  }
}
