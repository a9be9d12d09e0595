// How well an agent did at a skill. No columns were published: its readers expect score, decay and timestamps.

import type { MigrationInterface, QueryRunner } from 'typeorm'

export class A006PheromoneScores implements MigrationInterface {
  readonly name = 'a006_pheromone_scores1700000000006'

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table pheromone_scores (
        agent_id varchar(100) not null,
        skill varchar(100) not null,
        score double precision not null default 0.5,
        decay double precision not null default 0.95,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (agent_id, skill)
      )
    `)
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('drop table pheromone_scores')
  }
}
