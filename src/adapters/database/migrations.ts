// TypeORM's migrations, as a deploy needs them: under a lock, all or nothing, and looked at before the commit.
//
// The token of the lease lies in another database, so one transaction cannot check it and commit here. It is read
// before the transaction begins and again right before COMMIT. Between that second look and the COMMIT a take-over may
// still raise its token; it then ends every session of a smaller token and waits until each is gone before it looks at
// anything, so such a COMMIT has either happened by then, and is seen, or never does.

import { type DataSource, MigrationExecutor, type MigrationInterface, type QueryRunner } from 'typeorm'
import { StepbackError } from '../../plan/failure.js'
import type { ExposedTable } from '../../plan/plan.js'
import type { MigrationInfo } from '../../plan/revision.js'
import type { OwnWrites } from './counters.js'
import { whyIrreversible } from './down-losses.js'
import { countDropped, type Dropped } from './dropped.js'
import {
  compareSchema,
  endGhosts,
  migrationError,
  notAsPlanned,
  notTogether,
  refuseIrreversible,
  sameTransaction,
  writesOf,
  type ExpectedSchema,
} from './migration-guards.js'
import { databaseError } from './errors.js'
import type { DatabaseAddress } from './session.js'
import { openSource } from './source.js'

export interface MigrationClass {
  new (): MigrationInterface
  /** Declared by the author; it stays so whatever a rehearsal finds. */
  readonly irreversible?: boolean
}

/** Throws `Fenced` where this run's token is no longer in force. */
export type CheckFence = () => Promise<unknown>

/** Told right before the commit; should the commit fail, the transaction's id says so for ever. */
export type KeepWrites = (writes: OwnWrites) => Promise<unknown>

/** What downs would drop, counted in their transaction, before the first of them, when nobody writes to it any more. */
export interface JudgedLosses {
  readonly dropped: Dropped
  /** Transactions of the migrations themselves, whose rows are not counted. */
  readonly except: readonly string[]
  /** Throws where it is too much. */
  readonly judge: (lost: readonly ExposedTable[]) => void
}

/** What a list of classes says about itself, oldest first. One without a down is as irreversible as a declared one. */
export async function describeMigrations(classes: readonly MigrationClass[]): Promise<readonly MigrationInfo[]> {
  const described = classes.map(async (it): Promise<MigrationInfo> => {
    const migration = new it()
    const name = migration.name ?? it.name
    const [time] = /\d{13}$/.exec(name) ?? []
    if (!time) throw new TypeError(`migration "${name}" should end in a 13-digit time`)
    const why = it.irreversible === true ? 'it says so itself' : await whyIrreversible(migration)
    const found = why === null ? { reversible: true } : { reversible: false, irreversible: why }
    return { name, revision: name.slice(0, -13), timestamp: Number(time), ...found }
  })
  return (await Promise.all(described)).toSorted((a, b) => a.timestamp - b.timestamp)
}

export class MigrationRunner {
  private constructor(
    private readonly source: DataSource,
    private readonly known: readonly MigrationInfo[],
    private readonly lockTimeoutMs: number,
  ) {}

  static async connect(
    input: DatabaseAddress & { readonly migrations: readonly MigrationClass[]; readonly lockTimeoutMs: number },
  ): Promise<MigrationRunner> {
    return new MigrationRunner(await openSource(input), await describeMigrations(input.migrations), input.lockTimeoutMs)
  }

  async end(): Promise<void> {
    await this.source.destroy().catch(() => {})
  }

  /**
   * Applies those of the named migrations that are not recorded, oldest first, and returns their names. All that run in
   * transactions run in one. Asked again after an unknown outcome it waits for the lock, reads the records, and does the
   * rest. `Busy`: a lock was not to be had, nothing was done.
   */
  async up(input: {
    readonly names: readonly string[]
    readonly checkFence: CheckFence
    readonly keepWrites?: KeepWrites
  }): Promise<readonly string[]> {
    const named = this.resolve(input.names)
    return this.withRunner(input.checkFence, async (runner) => {
      const done: string[] = []
      for (const batch of batches(named, (info) => this.instance(info.name))) {
        const names = batch.migrations.map((info) => info.name)
        const apply = (same?: () => Promise<void>) => this.apply(runner, names, same)
        done.push(
          ...(await (batch.alone ? this.underSessionLock(runner, apply) : this.inTransaction(runner, input, apply))),
        )
      }
      return done
    })
  }

  /**
   * Reverts exactly the named migrations, newest first, in one transaction, and returns their names; none where that was
   * done already. Before the commit the schema must be the expected one, else nothing is done and it fails.
   */
  async down(input: {
    readonly names: readonly string[]
    readonly checkFence: CheckFence
    readonly expected?: ExpectedSchema
    readonly losses?: JudgedLosses
  }): Promise<readonly string[]> {
    const named = this.resolve(input.names)
    refuseIrreversible(named)
    const alone = named.filter((info) => this.instance(info.name).transaction === false)
    if (alone.length > 0 && named.length > 1) throw notTogether(alone)
    return this.withRunner(input.checkFence, (runner) => {
      const revert = (same?: () => Promise<void>) => this.revert(runner, input, same)
      if (alone.length > 0) return this.underSessionLock(runner, revert)
      return this.inTransaction(runner, input, async (same) => {
        const reverted = await revert(same)
        if (reverted.length > 0 && input.expected) await compareSchema(runner, input.expected)
        return reverted
      })
    })
  }

  /** Full names of the records in the order of their application. */
  applied(): Promise<readonly string[]> {
    return this.withRunner(
      async () => {},
      async (runner) => appliedNames(runner, this.source),
    )
  }

  /**
   * Records migrations whose effect another tool brought, without running them. Only where there is no record yet, and
   * the schema is, in that very transaction, the expected one.
   */
  async adopt(input: {
    readonly names: readonly string[]
    readonly checkFence: CheckFence
    readonly expected?: ExpectedSchema
  }): Promise<readonly string[]> {
    const named = this.resolve(input.names)
    return this.withRunner(input.checkFence, (runner) =>
      this.inTransaction(runner, input, async () => {
        const applied = await appliedNames(runner, this.source)
        if (applied.length === named.length && named.every((info) => applied.includes(info.name))) return []
        if (applied.length > 0)
          throw new StepbackError({ type: 'Refused', message: 'the database has records of migrations already' })
        if (input.expected) await compareSchema(runner, input.expected, changedMeanwhile)
        await runner.query(
          'create table if not exists migrations (id serial not null, "timestamp" bigint not null, name character varying not null, ' +
            'constraint "PK_8c82d7f526340ab734260ea46be" primary key (id))',
        )
        for (const info of named) {
          await runner.query('insert into migrations ("timestamp", name) values ($1, $2)', [info.timestamp, info.name])
        }
        return input.names
      }),
    )
  }

  private async apply(
    runner: QueryRunner,
    names: readonly string[],
    same?: () => Promise<void>,
  ): Promise<readonly string[]> {
    const executor = new MigrationExecutor(this.source, runner)
    const done: string[] = []
    for (const migration of await executor.getPendingMigrations()) {
      if (!names.includes(migration.name)) continue
      await executor.executeMigration(migration)
      await same?.()
      done.push(migration.name)
    }
    return done
  }

  private async revert(
    runner: QueryRunner,
    { names, losses }: { readonly names: readonly string[]; readonly losses?: JudgedLosses },
    same?: () => Promise<void>,
  ): Promise<readonly string[]> {
    const applied = await appliedNames(runner, this.source)
    if (!names.some((name) => applied.includes(name))) return []
    const newest = applied.toReversed().slice(0, names.length)
    if (newest.some((name, index) => name !== names[index])) throw notAsPlanned(names, newest)
    if (losses) {
      const session = { query: (text: string, values: readonly unknown[] = []) => runner.query(text, [...values]) }
      const { dropped, except, judge } = losses
      // Outside of a transaction a lock would be gone at once.
      judge(await countDropped(session, dropped, { except, locking: same !== undefined }))
    }
    // As TypeORM reverts one, which looks for its tables and reads all records anew each time, and begins a transaction.
    for (const name of names) {
      await this.instance(name).down(runner)
      await runner.query('delete from migrations where name = $1', [name])
      await same?.()
    }
    return names
  }

  private async inTransaction<T>(
    runner: QueryRunner,
    { checkFence, keepWrites }: { readonly checkFence: CheckFence; readonly keepWrites?: KeepWrites },
    work: (same: () => Promise<void>) => Promise<T>,
  ): Promise<T> {
    await runner.startTransaction()
    try {
      // The lock's wait is bounded by the same timeout. Records are read under it only: before, a ghost may commit.
      await runner.query(`set local lock_timeout = ${Math.round(this.lockTimeoutMs)}`)
      await runner.query('select pg_advisory_xact_lock($1::int, $2::int)', lockKey)
      const writes = keepWrites && (await writesOf(runner))
      const result = await work(await sameTransaction(runner))
      if (writes) await keepWrites(await writes())
      await checkFence()
      await runner.commitTransaction()
      return result
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => {})
      throw error
    }
  }

  // For what cannot be in a transaction, CREATE INDEX CONCURRENTLY above all.
  private async underSessionLock<T>(runner: QueryRunner, work: () => Promise<T>): Promise<T> {
    await runner.query(`set lock_timeout = ${Math.round(this.lockTimeoutMs)}`)
    await runner.query('select pg_advisory_lock($1::int, $2::int)', lockKey)
    try {
      return await work()
    } finally {
      await runner.query('select pg_advisory_unlock($1::int, $2::int)', lockKey).catch(() => {})
    }
  }

  private async withRunner<T>(checkFence: CheckFence, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    await checkFence()
    const runner = this.source.createQueryRunner()
    try {
      await runner.connect().catch((cause: unknown) => {
        throw databaseError({ cause, what: 'connecting for the migrations' })
      })
      await endGhosts(runner)
      return await work(runner)
    } catch (error) {
      throw migrationError(error)
    } finally {
      await runner.release().catch(() => {})
    }
  }

  private resolve(names: readonly string[]): readonly MigrationInfo[] {
    return names.map((name) => {
      const info = this.known.find((it) => it.name === name)
      if (info) return info
      throw new StepbackError({
        type: 'Refused',
        message: `migration "${name}" is not among the known ones`,
        hint: 'load the migrations of the release that brought it.',
      })
    })
  }

  private instance(name: string): MigrationInterface {
    const instance = this.source.migrations.find((it) => (it.name ?? it.constructor.name) === name)
    if (!instance) throw new TypeError(`migration "${name}" has no instance`)
    return instance
  }
}

const changedMeanwhile = {
  message: 'the schema changed while it was compared; nothing was recorded',
  hint: 'ask again when nobody changes it.',
}

const lockKey = [7_308_619, 20]

interface Batch {
  readonly alone: boolean
  readonly migrations: MigrationInfo[]
}

function batches(
  named: readonly MigrationInfo[],
  instance: (info: MigrationInfo) => MigrationInterface,
): readonly Batch[] {
  const result: Batch[] = []
  for (const info of named.toSorted((a, b) => a.timestamp - b.timestamp)) {
    const alone = instance(info).transaction === false
    const last = result.at(-1)
    if (last && !alone && !last.alone) last.migrations.push(info)
    else result.push({ alone, migrations: [info] })
  }
  return result
}

async function appliedNames(runner: QueryRunner, source: DataSource): Promise<readonly string[]> {
  const executed = await new MigrationExecutor(source, runner).getExecutedMigrations()
  return executed.map((migration) => migration.name).toReversed()
}
