// Which restore points have done their duty.

import type { Manifest, RestorePointState } from './manifest.js'

export interface Retention {
  /** How many of those that count stay. */
  readonly keep: number
  /** Whether only a proven one counts, or, where proof is switched off, any that was taken. */
  readonly counts: 'proven' | 'taken'
}

/**
 * Those that go, oldest first: all that are older than the last one that counts and stays. `held`: ids that somebody may
 * still go back to; they stay, as those with a pin do.
 */
export function retired(input: {
  readonly manifests: readonly Manifest[]
  readonly retention: Retention
  readonly held: readonly string[]
}): Manifest[] {
  const { manifests, retention, held } = input
  const newestFirst = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const last = newestFirst.filter((it) => counts(it, retention.counts))[retention.keep - 1]
  if (!last) return []
  const goes = (it: Manifest) => it.id < last.id && it.pins.length === 0 && !held.includes(it.id)
  return newestFirst.filter(goes).toReversed()
}

/** What a restore point may consist of, under its id; the manifest first, since a point without one never was. */
const parts = [
  ['manifest_', '.json'],
  ['db_', '.dump'],
  ['db_', '.sql'],
  ['db_', '.facts'],
  ['docker-compose_', '.yml'],
  ['env_', ''],
  ['config_', '.tar.gz'],
  ['restore_', '.sh'],
  ['logs_', '.txt'],
  ['left_', '.jsonl'],
] as const
/** What is named so while it is being written. */
const unfinished = ['.part', '.work']

/** Every name that a file of this restore point may have. */
export function namesOf(id: string): string[] {
  return parts.flatMap(([prefix, suffix]) => ['', ...unfinished].map((end) => `${prefix}${id}${suffix}${end}`))
}

/** Ids that files carry without a manifest: what a take left that never came to its end. */
export function leftovers(names: readonly string[], held: readonly string[]): string[] {
  const whole = names.flatMap((name) => /^manifest_(.*)\.json$/.exec(name)?.[1] ?? [])
  const ids = new Set(names.flatMap((name) => idIn(name) ?? []))
  return [...ids].filter((id) => !whole.includes(id) && !held.includes(id)).toSorted()
}

function idIn(name: string): string | undefined {
  const plain = unfinished.reduce((left, end) => (left.endsWith(end) ? left.slice(0, -end.length) : left), name)
  for (const [prefix, suffix] of parts) {
    if (!plain.startsWith(prefix) || !plain.endsWith(suffix)) continue
    const id = plain.slice(prefix.length, plain.length - suffix.length)
    if (/^\d{8}T\d{6}Z-[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(id)) return id
  }
  return undefined
}

/** What is the matter with a new dump that is less than half of the one before it; undefined where it is not. */
export function smallness(bytes: number, before: readonly Manifest[]): string | undefined {
  const newestFirst = before.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const forerunner = newestFirst.find((it) => it.database?.file !== undefined && doubtsOf(it).length === 0)
  const earlier = forerunner?.files.find((it) => it.name === forerunner.database?.file)?.bytes
  if (earlier === undefined || bytes * 2 >= earlier) return undefined
  return `its dump of ${bytes} bytes is suspiciously small: that of ${forerunner!.id} has ${earlier}`
}

/** All that speaks against relying on it. */
export function doubtsOf({ small, doubt }: Pick<Manifest, 'small' | 'doubt'>): string[] {
  return [small, doubt].filter((it) => it !== undefined)
}

/** Its dump was really restored once. */
export function isProven({ state, database }: Manifest): boolean {
  return database?.file !== undefined && (state === 'proven' || state === 'warm')
}

const proven: readonly RestorePointState[] = ['proven', 'warm', 'kept']

/** A dump that is suspiciously small pushes nothing out, proven or not: what is missing in it is in those before. */
function counts(manifest: Manifest, what: Retention['counts']): boolean {
  if (manifest.small !== undefined) return false
  if (proven.includes(manifest.state)) return true
  return what === 'taken' && manifest.state === 'taken' && manifest.doubt === undefined
}
