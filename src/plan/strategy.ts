import type { CandidateFacts, DatabaseFacts } from './facts.js'
import { StepbackError } from './failure.js'
import type { RollbackRequest, Strategy } from './request.js'
import type { MigrationInfo } from './revision.js'

export interface Choice {
  /** Null where the database is already as the restore point has it. */
  readonly strategy: Strategy | null
  readonly because: string
  /** For `migrate`: what is reverted. */
  readonly down: readonly MigrationInfo[]
}

/** The first strategy that keeps the promise, or the one that is asked for; `Refused` says why each cannot be. */
export function chooseStrategy(input: {
  readonly asked: RollbackRequest['strategy']
  readonly facts: DatabaseFacts
  readonly candidate: CandidateFacts
}): Choice {
  const { asked } = input
  const migrate = canMigrate(input.facts, input.candidate)
  const restore = canRestore(input.candidate)
  if (migrate.down.length === 0 && migrate.no === null && (asked === 'auto' || asked === 'migrate')) {
    return { strategy: null, because: 'the database is at the same migration, so it stays as it is', down: [] }
  }
  if ((asked === 'auto' || asked === 'migrate') && migrate.no === null) {
    return {
      strategy: 'migrate',
      because: 'every migration since can be reverted, and rows are kept',
      down: migrate.down,
    }
  }
  if ((asked === 'auto' || asked === 'restore') && restore === null) {
    const because = asked === 'auto' ? `migrate cannot be: ${migrate.no}` : 'restore was asked for'
    return { strategy: 'restore', because, down: [] }
  }
  throw new StepbackError({
    type: 'Refused',
    message: `the database cannot go back by ${asked}: ${reasons(asked, migrate.no, restore)}`,
    hint: 'choose another restore point with --to, or another --strategy.',
  })
}

function canMigrate(facts: DatabaseFacts, { manifest }: CandidateFacts): { no: string | null; down: MigrationInfo[] } {
  if (!manifest.database) {
    // Taken when the database was to stay as it was: at the same migration it belongs to what is there now.
    const same = manifest.migrationHead !== undefined && manifest.migrationHead === facts.applied.at(-1)
    return { no: same ? null : 'the restore point has no database', down: [] }
  }
  if (facts.unrecorded) return { no: 'the database has no record of a migration', down: [] }
  const wanted = manifest.database.migrations.map((migration) => migration.name)
  const extra = facts.applied.filter((name) => !wanted.includes(name))
  const missing = wanted.filter((name) => !facts.applied.includes(name))
  if (missing.length > 0) return { no: `${missing.join(', ')} would have to be applied, not reverted`, down: [] }
  const down = extra.map((name) => facts.known.find((known) => known.name === name))
  if (down.some((migration) => migration === undefined))
    return { no: ['the code of a migration is not known here', ...(facts.unusable ?? [])].join('; '), down: [] }
  const irreversible = down.find((migration) => migration && !migration.reversible)
  if (irreversible) return { no: `${irreversible.revision} is irreversible`, down: [] }
  return { no: null, down: down as MigrationInfo[] }
}

function canRestore({ manifest }: CandidateFacts): string | null {
  if (!manifest.database) return 'the restore point has no database'
  if (manifest.state === 'broken') return 'the restore point is broken'
  if (manifest.database.file === undefined) return 'the restore point has no dump'
  return null
}

function reasons(asked: RollbackRequest['strategy'], migrate: string | null, restore: string | null): string {
  const verdicts = { migrate, restore, swap: 'no warm copy is kept' }
  const shown = asked === 'auto' ? Object.entries(verdicts) : [[asked, verdicts[asked]] as const]
  return shown.map(([strategy, why]) => `${strategy}: ${why ?? 'possible'}`).join('; ')
}
