// What differs between two documents, told by their keys alone: values may be secrets.

export interface KeyChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

export const noKeys: KeyChanges = { added: [], removed: [], changed: [] }

/** Keys as `services.api.ports`, `models[0].context`; of what is there on one side only, the outermost key. */
export function keyChanges(now: unknown, then: unknown): KeyChanges {
  const found = { added: [] as string[], removed: [] as string[], changed: [] as string[] }
  compare(now, then, '', found)
  return found
}

/** `+ a; - b; ~ c`, a long list cut; nothing where no key differs. */
export function describeKeys({ added, removed, changed }: KeyChanges): string[] {
  const parts = [
    ...added.map((key) => `+${key}`),
    ...removed.map((key) => `-${key}`),
    ...changed.map((key) => `~${key}`),
  ]
  if (parts.length === 0) return []
  const more = parts.length > most ? [`and ${parts.length - most} more`] : []
  return [[...parts.slice(0, most), ...more].join(', ')]
}

/** As many as a person reads. */
const most = 40

type Found = { readonly added: string[]; readonly removed: string[]; readonly changed: string[] }

function compare(now: unknown, then: unknown, at: string, found: Found): void {
  const [before, after] = [entriesOf(now, at), entriesOf(then, at)]
  if (!before || !after || Array.isArray(now) !== Array.isArray(then)) {
    if (JSON.stringify(now) !== JSON.stringify(then)) found.changed.push(at || '(all of it)')
    return
  }
  for (const [key, value] of after) {
    if (before.has(key)) compare(before.get(key), value, key, found)
    else found.added.push(key)
  }
  for (const key of before.keys()) if (!after.has(key)) found.removed.push(key)
}

function entriesOf(value: unknown, at: string): ReadonlyMap<string, unknown> | undefined {
  if (value === null || typeof value !== 'object') return undefined
  const name = (key: string) => (Array.isArray(value) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`)
  return new Map(Object.entries(value).map(([key, inner]) => [name(key), inner]))
}
