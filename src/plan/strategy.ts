import { type Ready, readyDatabase } from './copies.js'
import type { CandidateFacts, DatabaseFacts } from './facts.js'
import { StepbackError } from './failure.js'
import type { DatabaseManifest } from './manifest.js'
import { estimateMs } from './measured.js'
import type { StrategyVerdict } from './plan.js'
import type { RollbackRequest, Strategy } from './request.js'
import type { MigrationInfo } from './revision.js'

export interface Choice {
  /** Null where the database is already as the restore point has it. */
  readonly strategy: Strategy | null
  readonly because: string
  /** For `migrate`: what is reverted. */
  readonly down: readonly MigrationInfo[]
  /** For `swap`: what stands ready. */
  readonly ready: Ready | null
  /** Every strategy, the chosen one and why the others are not. */
  readonly verdicts: readonly StrategyVerdict[]
}

/** A strategy as it stands: why it cannot be, or null and what speaks for it. */
interface Weighed {
  readonly strategy: Strategy
  readonly no: string | null
  readonly yes: string
}

/** The first strategy that keeps the promise, or the one that is asked for; `Refused` says why each cannot be. */
export function chooseStrategy(input: {
  readonly asked: RollbackRequest['strategy']
  readonly facts: DatabaseFacts
  readonly candidate: CandidateFacts
  /** What acts took before, by their names. */
  readonly took: ReadonlyMap<string, number>
}): Choice {
  const { asked, candidate } = input
  const ready = readyDatabase(candidate.manifest, input.facts)
  if (ready?.live) {
    const because = 'the database that was live then is live again'
    return { strategy: null, because, down: [], ready, verdicts: [] }
  }
  const { no, down } = canMigrate(input.facts, candidate)
  if (no === null && down.length === 0 && (asked === 'auto' || asked === 'migrate')) {
    const because = 'the database is at the same migration, so it stays as it is'
    return { strategy: null, because, down, ready, verdicts: [] }
  }
  const weighed: readonly Weighed[] = [
    { strategy: 'migrate', no, yes: 'every migration since can be reverted, and rows are kept' },
    { strategy: 'swap', no: ready ? ready.problem : 'no warm copy is kept', yes: ready?.what ?? '' },
    { strategy: 'restore', no: canRestore(candidate, input.facts), yes: 'the restore point has a dump' },
  ]
  const chosen = weighed.find((it) => it.no === null && (asked === 'auto' || asked === it.strategy))
  if (!chosen) throw impossible(asked, weighed)
  const { strategy } = chosen
  const verdicts = weighed.map((it) => verdictOn(it, strategy, input))
  const because = reasonFor(chosen, asked, weighed)
  return { strategy, because, down: strategy === 'migrate' ? down : [], ready, verdicts }
}

function verdictOn(
  { strategy, no, yes }: Weighed,
  chosen: Strategy,
  { candidate, took }: { readonly candidate: CandidateFacts; readonly took: ReadonlyMap<string, number> },
): StrategyVerdict {
  if (no !== null) return { strategy, verdict: 'impossible', reason: no, estimateMs: null, exposure: null }
  return {
    strategy,
    verdict: strategy === chosen ? 'chosen' : 'possible',
    reason: yes,
    estimateMs: estimateMs(strategy, took),
    exposure: strategy === 'migrate' ? candidate.downExposure : candidate.exposure,
  }
}

/** What speaks for it, or why those that would be better cannot be. */
function reasonFor(chosen: Weighed, asked: RollbackRequest['strategy'], weighed: readonly Weighed[]): string {
  if (chosen.strategy === 'migrate') return chosen.yes
  if (asked !== 'auto') return `${chosen.strategy} was asked for`
  const better = weighed.slice(0, weighed.indexOf(chosen))
  return better.map(({ strategy, no }) => `${strategy} cannot be: ${no}`).join('; ')
}

function canMigrate(
  facts: DatabaseFacts,
  { manifest, schemaChanged }: CandidateFacts,
): { no: string | null; down: MigrationInfo[] } {
  if (manifest.kept) return { no: 'the restore point is a kept database, and no dump', down: [] }
  if (!manifest.database) {
    // Taken when the database was to stay as it was: at the same migration it belongs to what is there now.
    const same = manifest.migrationHead !== undefined && manifest.migrationHead === facts.applied.at(-1)
    return { no: same ? null : 'the restore point has no database', down: [] }
  }
  if (schemaChanged) return { no: 'the schema is another one, and no migration that is known made it so', down: [] }
  if (facts.unrecorded && !facts.othersMigrate) return { no: 'the database has no record of a migration', down: [] }
  const wanted = manifest.database.migrations.map((migration) => migration.name)
  const extra = facts.applied.filter((name) => !wanted.includes(name))
  const missing = wanted.filter((name) => !facts.applied.includes(name))
  if (missing.length > 0) return { no: `${missing.join(', ')} would have to be applied, not reverted`, down: [] }
  const down = extra.map((name) => facts.known.find((known) => known.name === name))
  if (down.some((migration) => migration === undefined))
    return { no: ['the code of a migration is not known here', ...(facts.unusable ?? [])].join('; '), down: [] }
  const irreversible = down.find((migration) => migration && !migration.reversible)
  if (irreversible) return { no: describeIrreversible(irreversible), down: [] }
  return { no: null, down: down as MigrationInfo[] }
}

/** `a008 is irreversible: its down throws`. */
export function describeIrreversible({ revision, irreversible }: MigrationInfo): string {
  return `${revision} is irreversible${irreversible === undefined ? '' : `: ${irreversible}`}`
}

function canRestore({ manifest }: CandidateFacts, facts: DatabaseFacts): string | null {
  if (!manifest.database) return 'the restore point has no database'
  if (manifest.state === 'broken') return `the restore point is broken: ${manifest.doubt ?? 'nobody knows why'}`
  if (manifest.database.file === undefined) return 'the restore point has no dump'
  const missing = missingFor(manifest.database, facts)
  return missing.length > 0 ? `the server has no ${missing.join(', ')}, which the dump names` : null
}

/** Roles belong to the server and extensions to its files, so that no dump brings either. */
function missingFor({ roles, extensions }: DatabaseManifest, has: DatabaseFacts): string[] {
  return [
    ...roles.filter((name) => has.roles?.includes(name) === false).map((name) => `role "${name}"`),
    ...extensions
      .filter(({ name }) => has.extensions?.includes(name) === false)
      .map(({ name }) => `extension "${name}"`),
  ]
}

function impossible(asked: RollbackRequest['strategy'], weighed: readonly Weighed[]): StepbackError {
  const shown = weighed.filter((it) => asked === 'auto' || asked === it.strategy)
  const reasons = shown.map(({ strategy, no }) => `${strategy}: ${no ?? 'possible'}`)
  return new StepbackError({
    type: 'Refused',
    message: `the database cannot go back by ${asked}: ${reasons.join('; ')}`,
    hint: 'choose another restore point with --to, or another --strategy.',
  })
}
