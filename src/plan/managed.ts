import type { Finding } from './facts.js'

/** A managed directory as it is on the host; paths that are files, links or not there yet are never a problem. */
export interface ManagedTree {
  readonly path: string
  readonly entries: number
  readonly kilobytes: number
  /** The first thing below it that no archive can bring back: a socket, a pipe, a device. */
  readonly special: string | null
}

/** Each file is hashed and archived at every restore point, so what is managed is configuration and not data. */
const maxEntries = 2_000
const maxKilobytes = 256 * 1024

/** One finding for all managed paths; none where there is nothing to say. */
export function managedFindings(trees: readonly ManagedTree[], protectedPaths: readonly string[]): Finding[] {
  const problems = trees.flatMap((tree) => problem(tree, protectedPaths) ?? [])
  if (trees.length === 0) return []
  if (problems.length === 0) return [{ check: 'managed', ok: true, detail: trees.map((tree) => tree.path).join(', ') }]
  return [
    {
      check: 'managed',
      ok: false,
      detail: problems.join('; '),
      hint: 'name in managed the files and directories of configuration alone.',
    },
  ]
}

function problem(tree: ManagedTree, protectedPaths: readonly string[]): string | undefined {
  const inside = protectedPaths.find((path) => path === tree.path || path.startsWith(`${tree.path}/`))
  if (inside !== undefined) return `"${tree.path}" holds the protected path "${inside}"`
  if (tree.special !== null) return `"${tree.special}" is neither a file, a link nor a directory`
  if (tree.entries > maxEntries) return `"${tree.path}" holds ${tree.entries} entries, more than ${maxEntries}`
  if (tree.kilobytes > maxKilobytes) return `"${tree.path}" holds ${tree.kilobytes} KiB, more than ${maxKilobytes}`
  return undefined
}
