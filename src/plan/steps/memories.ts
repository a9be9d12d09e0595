import type { ActArgs, Step } from '../act.js'

/** Adds a file that nothing else knows of, so there is nothing to undo. */
export function archiveMemories(args: ActArgs['archiveMemories']): Step {
  return {
    act: { name: 'archiveMemories', title: `archive "${args.path}" as ${args.name}`, args },
    undo: [],
    commit: false,
  }
}

/** Cannot be undone, so it comes last. */
export function pruneArchives(names: readonly string[]): Step {
  const { length } = names
  const title = `remove ${length} ${length === 1 ? 'archive' : 'archives'}`
  return { act: { name: 'pruneArchives', title, args: { names } }, undo: [], commit: false }
}

/** Whole or not at all, and into the place of nothing, so there is nothing to undo. */
export function restoreMemories(args: ActArgs['restoreMemories']): Step {
  return {
    act: { name: 'restoreMemories', title: `restore ${args.name} as "${args.to}"`, args },
    undo: [],
    commit: false,
  }
}
