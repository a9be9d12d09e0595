// PostgreSQL through a tunnel: what is there, what a way back would lose, migrations, and the exchange of databases.

export {
  carryableTables,
  carryRows,
  tryCarry,
  type CarryInput,
  type CarryRecord,
  type LeftRow,
} from './database/carry.js'
export type { OwnWrites } from './database/counters.js'
export {
  nothingRemembered,
  writesSince,
  writtenBetween,
  type Baseline,
  type Counted,
  type Remembered,
} from './database/exposure.js'
export { createEmptyDatabase, dropEmptyDatabase } from './database/empty.js'
export { listenToDowns, type DownLosses } from './database/down-losses.js'
export type { Dropped } from './database/dropped.js'
export { Journal, type Carried } from './database/journal.js'
export {
  describeMigrations,
  MigrationRunner,
  type CheckFence,
  type JudgedLosses,
  type MigrationClass,
} from './database/migrations.js'
export type { Direction, Door, Mine, Operation } from './database/operation.js'
export type { ExpectedSchema } from './database/migration-guards.js'
export { readRole } from './database/roles.js'
export { databaseError } from './database/errors.js'
export type { DatabaseAddress } from './database/session.js'
export { swapDatabases, type Judge, type SwapInput, type SwapOutcome } from './database/swap.js'
export { login, TargetDatabase, type Observation, type ServerDatabase } from './database/target.js'
