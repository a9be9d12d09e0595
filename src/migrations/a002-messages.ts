// What was said, in which role. The full-text index is what search reads.

import type { MigrationInterface, QueryRunner } from 'typeorm'

export class A002Messages implements MigrationInterface {
  readonly name = 'a002_messages1700000000002'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table messages (
        id uuid primary key default gen_random_uuid(),
        session_id uuid not null references sessions (id) on delete cascade,
        role varchar(20) not null,
        content text not null,
        created_at timestamptz not null default now(),
        model varchar(100),
        tokens_input integer,
        tokens_output integer,
        thinking_content text,
        tool_calls jsonb,
        metadata jsonb not null default '{}'::jsonb
      )
    `)
    await queryRunner.query('create index ix_messages_session_id on messages (session_id)')
    await queryRunner.query('create index ix_messages_created_at on messages (created_at)')
    await queryRunner.query('create index ix_messages_role on messages (role)')
    await queryRunner.query(
      "create index ix_messages_content_fts on messages using gin (to_tsvector('english', content))",
    )
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table messages')
  }
}
