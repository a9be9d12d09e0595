// Databases beside the live one: what stands ready to be exchanged with it, and which have done their duty.

import type { DroppedCopy } from './act.js'
import type { DatabaseFacts, Facts } from './facts.js'
import { openRuns, runDigits } from './ledger.js'
import type { BesideDatabase, Manifest } from './manifest.js'

/** The database that a restore point needs no restore for: the copy that proved it, or the one that was live then. */
export interface Ready extends BesideDatabase {
  /** What it is, in words. */
  readonly what: string
  /** Why it cannot be used; null where it can. */
  readonly problem: string | null
  /** It is the live one already. */
  readonly live: boolean
}

/** Known by name and oid together, and a copy is trusted only while nobody has been in it. */
export function readyDatabase(manifest: Manifest, facts: Pick<DatabaseFacts, 'oid' | 'copies'>): Ready | null {
  const { kept } = manifest
  if (kept) {
    const what = 'the database that was live then is kept'
    return { ...identityOf(kept), what, problem: missing(kept, facts), live: facts.oid === kept.oid }
  }
  const warm = manifest.database?.warm
  if (!warm) return null
  const found = facts.copies.find((it) => it.name === warm.name)
  const touched = found && (found.open || found.visits !== warm.visits)
  const problem = missing(warm, facts) ?? (touched ? `somebody was in the warm copy "${warm.name}"` : null)
  return { ...identityOf(warm), what: 'its warm copy is kept', problem, live: false }
}

/** A restore point's state by what is really there: a copy that was swapped in is none any more. */
export function stateNow(manifest: Manifest, facts: Pick<DatabaseFacts, 'oid' | 'copies'>): Manifest['state'] {
  const ready = readyDatabase(manifest, facts)
  if (!ready || ready.problem === null || ready.live) return manifest.state
  return manifest.kept ? 'taken' : 'proven'
}

/** Copies of proofs that go: those beyond the number that is kept, and those that were kept long enough. */
export function warmCopiesToDrop(
  facts: Facts,
  run: {
    /** How many the run itself adds. */
    readonly coming: number
    /** Restore points that an open run may go back to. */
    readonly held: readonly string[]
  },
): DroppedCopy[] {
  const { proof } = facts.stack
  const newestFirst = standing(facts, (it) => it.database?.warm)
  const old = (it: Manifest) => age(facts, it) > proof.warmMs
  return newestFirst
    .filter(({ point }, index) => index + run.coming >= proof.keep || old(point))
    .flatMap(({ point, copy }) => (run.held.includes(point.id) ? [] : [{ ...copy, of: point.id }]))
}

/** Whether a proof leaves its database: a copy that stands already is enough, and one that would go at once is none. */
export function keepsCopy(facts: Facts, manifest: Manifest | null): boolean {
  const { proof } = facts.stack
  if (proof.keep === 0) return false
  if (!manifest) return true
  const standing = facts.database && readyDatabase(manifest, facts.database)
  return age(facts, manifest) <= proof.warmMs && (!standing || standing.problem !== null)
}

/** Databases that were live once, and were kept long enough; pinned restore points keep theirs. */
export function keptDatabasesToDrop(facts: Facts, held: readonly string[]): DroppedCopy[] {
  return standing(facts, (it) => it.kept).flatMap(({ point, copy }) =>
    mayGo(facts, point, held) ? [{ ...copy, of: point.id }] : [],
  )
}

/**
 * What runs that are over left of a restore that nobody ended: a debt that a person skipped is undone by nobody. Never a
 * database that was live once, nor one that a manifest names, or might name that cannot be read.
 */
export function abandonedToDrop({ database, manifests, unreadable = [], records }: Facts): DroppedCopy[] {
  const open = new Set(openRuns(records).map(runDigits))
  const named = manifests.flatMap((it) => it.database?.warm?.name ?? [])
  return (database?.built ?? [])
    .filter(({ name, run8 }) => unreadable.length === 0 && !open.has(run8) && !named.includes(name))
    .map(identityOf)
}

/**
 * What the undo of a deploy put aside, which no restore point names: kept for as long as what a rollback replaces, and no
 * longer than the restore point that this deploy took. Of others nobody knows how old they are.
 */
export function putAsideToDrop(facts: Facts, going: readonly Manifest[], held: readonly string[]): DroppedCopy[] {
  const { database, manifests, unreadable = [], records } = facts
  const open = new Set(openRuns(records).map(runDigits))
  const named = manifests.flatMap((it) => it.kept?.name ?? [])
  const former = unreadable.length > 0 ? [] : (database?.former ?? [])
  return former
    .filter(({ name, run8 }) => {
      const own = manifests.find((it) => runDigits(it.run) === run8)
      if (!own || open.has(run8) || named.includes(name)) return false
      return mayGo(facts, own, held) || going.includes(own)
    })
    .map(identityOf)
}

/** Restore points that are a database, which is there and stays. */
export function keptRestorePoints(facts: Facts, held: readonly string[]): string[] {
  const kept = standing(facts, (it) => it.kept).map(({ point }) => point)
  return kept.filter((it) => !mayGo(facts, it, held)).map((it) => it.id)
}

/** Warm copies of these restore points. */
export function warmCopiesOf(points: readonly Manifest[], facts: Facts): DroppedCopy[] {
  return standing({ ...facts, manifests: points }, (it) => it.database?.warm).map(({ point, copy }) => ({
    ...copy,
    of: point.id,
  }))
}

function mayGo(facts: Facts, point: Manifest, held: readonly string[]): boolean {
  return age(facts, point) > facts.stack.proof.keptMs && point.pins.length === 0 && !held.includes(point.id)
}

/** Restore points, newest first, whose copy is really there. */
function standing({ manifests, database }: Facts, copyOf: (manifest: Manifest) => BesideDatabase | undefined) {
  return manifests
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .flatMap((point) => {
      const copy = copyOf(point)
      if (!copy || !database || missing(copy, database) !== null) return []
      return [{ point, copy: identityOf(copy) }]
    })
}

function identityOf({ name, oid }: BesideDatabase): BesideDatabase {
  return { name, oid }
}

function missing({ name, oid }: BesideDatabase, { copies }: Pick<DatabaseFacts, 'copies'>): string | null {
  const found = copies.find((it) => it.name === name)
  if (!found) return `the database "${name}" is gone`
  return found.oid === oid ? null : `the database "${name}" is another one by now`
}

function age({ at }: Facts, { createdAt }: Manifest): number {
  return Date.parse(at) - Date.parse(createdAt)
}
