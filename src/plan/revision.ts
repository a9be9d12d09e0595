// Which migrations a wish means, as pure data: what to apply, what to revert, and what stands in the way.

import { StepbackError } from './failure.js'

export interface MigrationInfo {
  /** The full name of TypeORM's record, ending in a 13-digit time. */
  readonly name: string
  readonly revision: string
  readonly timestamp: number
  readonly reversible: boolean
  /** Why it cannot be reverted. */
  readonly irreversible?: string
  /** What going there and back lost on a copy, in words. */
  readonly loses?: string
}

/** A revision is the name without its time. */
export function revisionOf(name: string): string {
  return name.replace(/\d{13}$/, '')
}

/** The one migration that is meant by a revision, a full name, or a beginning that only one of them has. */
export function resolveRevision(input: {
  readonly known: readonly MigrationInfo[]
  readonly asked: string
}): MigrationInfo {
  const { known, asked } = input
  const exact = known.find((migration) => migration.revision === asked || migration.name === asked)
  if (exact) return exact
  const beginning = asked === '' ? [] : known.filter((migration) => migration.name.startsWith(asked))
  const [only] = beginning
  if (only && beginning.length === 1) return only
  throw unresolved(asked, known, beginning)
}

/**
 * What leads from the applied migrations to the wish. `up` is oldest first, `down` newest applied first.
 * `none` wants nothing, `head` all that is known, `base` none of them, `-N` the newest N applied ones gone,
 * a revision exactly those up to it.
 */
export function planMigrations(input: {
  readonly known: readonly MigrationInfo[]
  /** Full names in the order of their application. */
  readonly applied: readonly string[]
  readonly to: string
}): {
  readonly up: readonly MigrationInfo[]
  readonly down: readonly MigrationInfo[]
  readonly irreversible: readonly MigrationInfo[]
  /** Applied, but not known here. */
  readonly unknown: readonly string[]
} {
  const known = input.known.toSorted((a, b) => a.timestamp - b.timestamp)
  const byName = new Map(known.map((migration) => [migration.name, migration]))
  const unknown = input.applied.filter((name) => !byName.has(name))
  const applied = input.applied.flatMap((name) => byName.get(name) ?? [])
  const wanted = new Set(wantedMigrations({ known, applied, to: input.to }).map((migration) => migration.name))
  const down = applied.filter((migration) => !wanted.has(migration.name)).toReversed()
  const up = known.filter((migration) => wanted.has(migration.name) && !input.applied.includes(migration.name))
  return { up, down, irreversible: down.filter((migration) => !migration.reversible), unknown }
}

function wantedMigrations(input: {
  readonly known: readonly MigrationInfo[]
  readonly applied: readonly MigrationInfo[]
  readonly to: string
}): readonly MigrationInfo[] {
  const { known, applied, to } = input
  if (to === 'none') return applied
  if (to === 'head') return known
  if (to === 'base') return []
  if (/^-\d+$/.test(to)) return withoutNewest(applied, Number(to.slice(1)))
  const last = resolveRevision({ known, asked: to })
  return known.filter((migration) => migration.timestamp <= last.timestamp)
}

function withoutNewest(applied: readonly MigrationInfo[], count: number): readonly MigrationInfo[] {
  if (count >= 1 && count <= applied.length) return applied.slice(0, applied.length - count)
  throw new StepbackError({
    type: 'InvalidRequest',
    message: `revision "-${count}" should be between -1 and -${applied.length}: ${applied.length} known migrations are applied`,
    hint: 'ask for `base` to revert them all.',
  })
}

function unresolved(asked: string, known: readonly MigrationInfo[], several: readonly MigrationInfo[]): StepbackError {
  const names = known.map((migration) => migration.revision).join(', ') || 'none'
  const why = several.length > 1 ? `begins ${several.map((it) => it.revision).join(', ')} alike` : 'is not known'
  return new StepbackError({
    type: 'InvalidRequest',
    message: `revision "${asked}" ${why}; known: ${names}`,
    hint: 'write a revision, its full name, or a beginning that only one of them has; or head, base, -N.',
  })
}
