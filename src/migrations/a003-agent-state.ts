// One row per agent: what it is doing and how well it did.

import type { MigrationInterface, QueryRunner } from 'typeorm'

export class A003AgentState implements MigrationInterface {
  readonly name = 'a003_agent_state1700000000003'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table agent_state (
        agent_id varchar(100) primary key,
        status varchar(20) not null default 'active',
        pheromone_score float not null default 0.5,
        tasks_completed integer not null default 0,
        tasks_failed integer not null default 0,
        last_active timestamptz,
        config jsonb not null default '{}'::jsonb,
        updated_at timestamptz not null default now()
      )
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table agent_state')
  }
}
