// Alembic as its own users have it: in a virtual environment, with revisions that say what the product's migrations say.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pythonEnvironment } from '../sandbox/install/python.js'
import { run } from '../sandbox/run.js'
import type { Say } from './measurement.js'

const packages = ['alembic==1.20.1', 'psycopg[binary]==3.3.9']

export interface TwinMigration {
  readonly up: string
  readonly down: string
}

export class Alembic {
  /** `directory` gets the project; a revision for each migration, oldest first. */
  static async project(
    directory: string,
    input: { readonly database: string; readonly migrations: readonly TwinMigration[]; readonly say: Say },
  ): Promise<Alembic> {
    input.say('Alembic in an environment of its own')
    const environment = await pythonEnvironment('alembic', packages)
    mkdirSync(join(directory, 'versions'), { recursive: true })
    const url = input.database.replace(/^postgres:/, 'postgresql+psycopg:')
    const ini = `[alembic]\nscript_location = ${directory}\nsqlalchemy.url = ${url.replaceAll('%', '%%')}\n`
    writeFileSync(join(directory, 'alembic.ini'), ini, { mode: 0o600 })
    writeFileSync(join(directory, 'env.py'), env)
    for (const [index, migration] of input.migrations.entries()) {
      writeFileSync(join(directory, 'versions', `${name(index)}.py`), revision(index, migration))
    }
    return new Alembic(directory, join(environment, 'bin', 'alembic'))
  }

  private constructor(
    private readonly directory: string,
    private readonly program: string,
  ) {}

  async upgrade(to: string): Promise<void> {
    await this.run('upgrade', to)
  }

  /** One command, as an operator types it. */
  async downgrade(to: string): Promise<void> {
    await this.run('downgrade', to)
  }

  private async run(...words: string[]): Promise<void> {
    await run([this.program, '-c', join(this.directory, 'alembic.ini'), ...words])
  }
}

// What `alembic init` writes, without its logging.
const env = `from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config
connectable = engine_from_config(config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool)
with connectable.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
`

function revision(index: number, { up, down }: TwinMigration): string {
  return `from alembic import op

revision = ${JSON.stringify(name(index))}
down_revision = ${index === 0 ? 'None' : JSON.stringify(name(index - 1))}


def upgrade():
    op.execute(${JSON.stringify(up)})


def downgrade():
    op.execute(${JSON.stringify(down)})
`
}

function name(index: number): string {
  return `b${String(index + 1).padStart(3, '0')}`
}
