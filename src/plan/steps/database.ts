import type { Act, ActArgs, RestorePointRef, Step, SwapArgs } from '../act.js'
import type { MigrationInfo } from '../revision.js'
import { list } from './list.js'
import { stopServices } from './services.js'

/**
 * Applies migrations. Where one of them cannot be reverted, or loses something, the undo brings the restore point's
 * database back; where there are none, the release brings its own, and the undo does so if the schema is another one then.
 */
export function migrateUp(input: {
  readonly migrations: readonly MigrationInfo[]
  readonly application: readonly string[]
  readonly mayLoseRows: number
}): Step {
  const { mayLoseRows } = input
  return {
    act: up(input.migrations),
    undo:
      input.migrations.length > 0 && input.migrations.every(isLossless)
        ? [down(input.migrations, { schemaOf: 'safety', mayLoseRows })]
        : [stopServices({ services: input.application }).act, build('safety'), swap({ from: 'safety', mayLoseRows })],
    commit: false,
  }
}

/** Its down is known to bring everything back, as far as anybody tried. */
export function isLossless({ reversible, loses }: MigrationInfo): boolean {
  return reversible && loses === undefined
}

/** Reverts migrations, newest first, in one transaction. `schemaOf`: compared with that restore point before the commit. */
export function migrateDown(input: {
  readonly migrations: readonly MigrationInfo[]
  readonly schemaOf?: RestorePointRef
}): Step {
  const { migrations, ...more } = input
  return { act: down(migrations, more), undo: [up(migrations)], commit: false }
}

/** Builds the restore point's database beside the live one, which stays up and untouched. */
export function restoreDatabase(input: ActArgs['restoreDatabase']): Step {
  const { from, copyOf } = input
  const title = `build the database of ${from} beside the live one, as a copy of "${copyOf?.name}"`
  return {
    act: copyOf ? { name: 'restoreDatabase', title, args: { from, copyOf } } : build(from),
    undo: [{ name: 'dropNewDatabase', title: 'drop the database that was built', args: {} }],
    commit: false,
  }
}

/** Renames the database that was built, or stood ready, into place, in one transaction; the former live one is kept. */
export function swapDatabase(input: SwapArgs): Step {
  return {
    act: swap(input),
    undo: [{ name: 'swapDatabaseBack', title: 'swap the kept database back', args: {} }],
    commit: true,
  }
}

function up(migrations: readonly MigrationInfo[]): Act {
  const ordered = migrations.toSorted((a, b) => a.timestamp - b.timestamp)
  return {
    name: 'migrateUp',
    title:
      ordered.length > 0 ? `apply ${list(ordered.map(({ revision }) => revision))}` : 'leave migrations to the release',
    args: { migrations: ordered.map((migration) => migration.name) },
  }
}

function down(migrations: readonly MigrationInfo[], more: Omit<ActArgs['migrateDown'], 'migrations'>): Act {
  const ordered = migrations.toSorted((a, b) => b.timestamp - a.timestamp)
  return {
    name: 'migrateDown',
    title: `revert ${list(ordered.map((migration) => migration.revision))}`,
    args: { migrations: ordered.map((migration) => migration.name), ...more },
  }
}

function build(from: RestorePointRef): Act {
  const whose = from === 'safety' ? 'as it was' : `of ${from}`
  return { name: 'restoreDatabase', title: `build the database ${whose} beside the live one`, args: { from } }
}

function swap(args: SwapArgs): Act {
  return { name: 'swapDatabase', title: `swap ${args.ready ? `"${args.ready.name}"` : 'the built database'} in`, args }
}
