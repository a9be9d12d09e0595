// PostgreSQL's own programs in the container of the ground, started as the product starts them and with nothing around.

import { pgDump, psql, withSql, type DatabaseAccess } from '../src/commands/database/programs.js'
import { command, quote } from '../src/commands/shell.js'
import type { Ground } from './ground.js'

export class BarePostgres {
  static async on(ground: Ground): Promise<BarePostgres> {
    const { compose, database } = ground.target
    const labels = [`project=${compose.project}`, `service=${database!.service}`]
    const filters = labels.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`])
    const container = (await ground.shell(`${command('docker', 'ps', '--quiet', '--no-trunc', ...filters)}\n`)).trim()
    const access = {
      exec: ['docker', 'exec', '-i', '-u', 'postgres', container],
      psqlUser: new URL(ground.sandbox.database).username,
    }
    return new BarePostgres(ground, access, database!.name)
  }

  private constructor(
    private readonly ground: Ground,
    private readonly access: DatabaseAccess,
    readonly live: string,
  ) {}

  /** Statements one by one, outside of a transaction; what they answered. */
  async sql(text: string, database = this.live): Promise<string> {
    return (await this.ground.shell(`${withSql(psql(this.access, database), text)}\n`)).trim()
  }

  /** Several sessions at once, each with a text of its own. */
  async together(texts: readonly string[]): Promise<void> {
    await Promise.all(texts.map((text) => this.sql(text)))
  }

  /** Into a file on the host. */
  async dump(file: string, flags: readonly string[]): Promise<void> {
    await this.ground.shell(`umask 077\n${pgDump(this.access, this.live, flags)} </dev/null >${quote(file)}\n`)
  }

  /** Into a fresh database, from a file in the container: programs that work side by side read no pipe. */
  async restore(database: string, file: string): Promise<void> {
    const words = ['pg_restore', '-j2', '-w', '-U', this.access.psqlUser, '-d', database, file]
    await this.ground.shell(`${command(...this.access.exec, ...words)} </dev/null\n`)
  }

  /** Copies a file of the host into the container; its path there. */
  async bring(file: string): Promise<string> {
    const path = '/tmp/bench.dump'
    await this.ground.shell(`${command(...this.access.exec, 'sh', '-c', `cat >${path}`)} <${quote(file)}\n`)
    return path
  }

  /** Loads a plain dump, as operators do. */
  async load(database: string, file: string): Promise<void> {
    await this.ground.shell(`${psql(this.access, database)} <${quote(file)} >/dev/null\n`)
  }

  async recreate(database: string): Promise<void> {
    await this.drop(database)
    await this.sql(`create database "${database}";`, 'postgres')
  }

  async drop(database: string): Promise<void> {
    await this.sql(`drop database if exists "${database}" with (force);`, 'postgres')
  }

  async bytes(database = this.live): Promise<number> {
    return Number(await this.sql(`select pg_database_size('${database}');`, 'postgres'))
  }

  /** So that no run pays for what the one before it left to be written. */
  async settle(): Promise<void> {
    await this.sql('checkpoint;', 'postgres')
  }
}
