// What the scheduler runs, and when.

import type { MigrationInterface, QueryRunner } from 'typeorm'

export class A004SchedulerJobs implements MigrationInterface {
  readonly name = 'a004_scheduler_jobs1700000000004'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table scheduler_jobs (
        id varchar(100) primary key,
        name varchar(200) not null,
        schedule varchar(100) not null,
        skill varchar(100) not null,
        method varchar(100) not null,
        enabled boolean not null default true,
        priority varchar(20) not null default 'medium',
        config jsonb not null default '{}'::jsonb,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      )
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table scheduler_jobs')
  }
}
