// What a release may bring into the project directory: nothing that leaves it, and nothing that enters a protected path.

import { StepbackError } from './failure.js'

export interface ReleaseEntry {
  readonly path: string
  /** A directory is listed only where nothing is in it. */
  readonly kind: 'file' | 'link' | 'directory'
  /** Of a link, its text. */
  readonly target?: string
}

/** Refuses a release that may not go into a project directory, naming the first path that may not. */
export function ensureAllowed(
  release: { readonly directory: string; readonly files: readonly ReleaseEntry[] },
  protectedPaths: readonly string[],
): void {
  const problem = releaseProblem(release.files, protectedPaths)
  if (problem === undefined) return
  throw new StepbackError({
    type: 'Refused',
    message: `release "${release.directory}" cannot be deployed: ${problem}`,
    hint: 'nothing in a release enters a protected path or leaves the project directory, links included; nothing was changed.',
  })
}

/** Why these entries may not go into a project directory, naming the first that may not; undefined where they may. */
export function releaseProblem(
  entries: readonly ReleaseEntry[],
  protectedPaths: readonly string[],
): string | undefined {
  const entered = entries.find((entry) => entersProtected(entry.path, protectedPaths))
  if (entered) return `"${entered.path}" lies in a protected path`
  return twins(entries) ?? firstOf(entries, (entry) => linkProblem(entry, entries, protectedPaths))
}

/** Where each link of a release leads, as a path in the project directory; `''` is the directory itself. */
export function linkEnds(entries: readonly ReleaseEntry[]): string[] {
  const ends = entries.flatMap((entry) => (entry.kind === 'link' ? [follow(entry, entries)] : []))
  return [...new Set(ends.filter((end) => end !== undefined))].toSorted()
}

/** Every directory above a path, the outermost first. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'))
}

/** On a host that does not tell capitals apart, `SOUL` is `soul`. A path above a protected one would replace it. */
function entersProtected(path: string, protectedPaths: readonly string[]): boolean {
  const asked = folded(path)
  return protectedPaths
    .map(folded)
    .some((it) => asked === it || asked.startsWith(`${it}/`) || it.startsWith(`${asked}/`))
}

/** A host that does not tell capitals apart would keep one of the two, and nobody could say which. */
function twins(entries: readonly ReleaseEntry[]): string | undefined {
  const paths = new Set(entries.flatMap(({ path }) => [...parentsOf(path), path]))
  const seen = new Map<string, string>()
  for (const path of paths) {
    const twin = seen.get(path.toLowerCase())
    if (twin !== undefined) return `"${twin}" and "${path}" differ only in case`
    seen.set(path.toLowerCase(), path)
  }
  return undefined
}

function linkProblem(
  entry: ReleaseEntry,
  entries: readonly ReleaseEntry[],
  protectedPaths: readonly string[],
): string | undefined {
  const { target = '' } = entry
  if (entry.kind !== 'link') return undefined
  const leads = `the link "${entry.path}" leads to "${target}"`
  if (target.startsWith('/')) return `${leads}, an absolute path`
  if (target.includes('\n')) return `${leads}, and a line break cannot be read back from a link`
  const end = follow(entry, entries)
  if (end === undefined) return `${leads}, which leaves the project directory`
  if (protectedPaths.map(folded).some((it) => folded(end) === it || folded(end).startsWith(`${it}/`)))
    return `${leads}, which enters a protected path`
  return undefined
}

/** As many links on the way as the kernel of Linux follows. */
const maxLinks = 40

/** Follows a link through the other links of the release; undefined where it leaves the project, or runs in a circle. */
function follow(entry: ReleaseEntry, entries: readonly ReleaseEntry[]): string | undefined {
  const links = new Map(entries.flatMap((it) => (it.kind === 'link' ? [[it.path, it.target ?? '']] : [])))
  const at = entry.path.split('/')
  let rest: string[] = [at.pop()!]
  for (let followed = 0; rest.length > 0;) {
    const part = rest.shift()!
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (at.pop() === undefined) return undefined
      continue
    }
    const target = links.get([...at, part].join('/'))
    if (target === undefined) at.push(part)
    else if (target.startsWith('/') || (followed += 1) > maxLinks) return undefined
    else rest = [...target.split('/'), ...rest]
  }
  return at.join('/')
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase()
}

function firstOf<T>(items: readonly T[], problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item)
    if (found !== undefined) return found
  }
  return undefined
}
