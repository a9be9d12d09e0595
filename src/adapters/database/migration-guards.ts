// What is looked at around migrations: that they stay in one transaction, that no ghost works beside them, and what the
// schema is before the commit.

import { QueryFailedError, QueryRunnerAlreadyReleasedError, type QueryRunner } from 'typeorm'
import { StepbackError } from '../../plan/failure.js'
import type { TableCounters } from '../../plan/manifest.js'
import type { MigrationInfo } from '../../plan/revision.js'
import { type OwnWrites, byKind } from './counters.js'
import { databaseError } from './errors.js'

/** What says whether the schema is the one that is expected: SQL from commands, and the hash it should give. */
export interface ExpectedSchema {
  readonly settings: string
  readonly sql: string
  readonly sha256: string
}

// A migration that commits ends the whole, and frees the lock: what follows would commit on its own.
export async function sameTransaction(runner: QueryRunner): Promise<() => Promise<void>> {
  const read = async (): Promise<string> => {
    const [row] = await runner.query('select pg_current_xact_id()::text as xid')
    return row.xid
  }
  const begun = await read()
  return async () => {
    if (runner.isTransactionActive && (await read()) === begun) return
    throw new StepbackError({
      type: 'StepFailed',
      message: 'a migration ended the transaction that it ran in, so what it did is not undone with the others',
      hint: 'look at the records in table migrations; a migration that must commit declares `transaction = false`.',
    })
  }
}

/** What the transaction has written since this call, by table. */
export async function writesOf(runner: QueryRunner): Promise<() => Promise<OwnWrites>> {
  const read = async (): Promise<{ readonly xid: string; readonly tables: readonly TableCounters[] }> => {
    const [row] = await runner.query(
      `select pg_current_xact_id()::text as xid, coalesce((select jsonb_agg(jsonb_build_object('oid', relid::bigint,
       'schema', schemaname, 'name', relname, 'inserted', n_tup_ins, 'updated', n_tup_upd, 'deleted', n_tup_del))
       from pg_stat_xact_user_tables where n_tup_ins + n_tup_upd + n_tup_del > 0), '[]') as tables`,
    )
    return row
  }
  // A session keeps what it has not yet told of earlier transactions.
  const { tables: earlier } = await read()
  return async () => {
    const { xid, tables } = await read()
    const then = (oid: number) => earlier.find((table) => table.oid === oid)
    return { xid, tables: tables.map((it) => ({ ...it, ...byKind((kind) => it[kind] - (then(it.oid)?.[kind] ?? 0)) })) }
  }
}

export async function compareSchema(
  runner: QueryRunner,
  expected: ExpectedSchema,
  otherwise: { readonly message: string; readonly hint: string } = notReverted,
): Promise<void> {
  await runner.query('savepoint stepback_look')
  await runner.query(expected.settings)
  const [row] = await runner.query(expected.sql)
  // Puts the session's own settings back.
  await runner.query('rollback to savepoint stepback_look')
  const found = Object.values(row as object)[0]
  if (found === expected.sha256) return
  throw new StepbackError({
    type: 'StepFailed',
    ...otherwise,
    details: { expected: expected.sha256, found },
  })
}

const notReverted = {
  message: 'the schema behind the reverted migrations is not the one that was recorded; nothing was reverted',
  hint: 'go back by restore.',
}

// Sessions of earlier attempts of this very step: they carry the same name, and may hold the lock.
export async function endGhosts(runner: QueryRunner): Promise<void> {
  const end = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = current_setting('application_name') and datid = (select oid from pg_database where datname = current_database())
    and usesysid = (select usesysid from pg_stat_activity where pid = pg_backend_pid()) and pid <> pg_backend_pid()`
  for (let round = 0; round < 200; round++) {
    if ((await runner.query(end)).length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new StepbackError({ type: 'Busy', message: 'a session of an earlier attempt does not end' })
}

/** The failure that an error around a migration means. */
export function migrationError(error: unknown): StepbackError {
  if (error instanceof StepbackError) return error
  // Released: TypeORM gives a runner up when its connection is lost between two statements.
  const ofTheDatabase = error instanceof QueryFailedError || error instanceof QueryRunnerAlreadyReleasedError
  if (ofTheDatabase) return databaseError({ cause: error, what: 'a migration' })
  // Thrown by a migration's own code: certain, where an error of the connection is not.
  return new StepbackError({
    type: 'StepFailed',
    message: `a migration failed: ${(error as Error).message}`,
    cause: error,
  })
}

export function refuseIrreversible(named: readonly MigrationInfo[]): void {
  const irreversible = named.filter((info) => !info.reversible)
  if (irreversible.length === 0) return
  throw new StepbackError({
    type: 'Refused',
    message: `${irreversible.map((info) => info.revision).join(', ')} cannot be reverted`,
    hint: 'go back by restore point.',
  })
}

export function notTogether(alone: readonly MigrationInfo[]): StepbackError {
  const names = alone.map((info) => info.revision).join(', ')
  return new StepbackError({
    type: 'Refused',
    message: `${names} cannot run in a transaction, so it is not reverted together with others`,
    hint: 'revert it by itself, with -1.',
  })
}

export function notAsPlanned(names: readonly string[], newest: readonly string[]): StepbackError {
  return new StepbackError({
    type: 'StepFailed',
    message: `the newest records are ${newest.join(', ')} where ${names.join(', ')} was planned; nothing was reverted`,
    hint: 'plan again.',
  })
}
