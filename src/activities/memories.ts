// One directory of the project, archived by day, and brought back beside the live one.

import { archiveDirectory, removeArchives, restoreArchive } from '../commands/archive.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'

export const archiveMemories: ActDefinition<'archiveMemories'> = {
  jobs: ['archive'],
  run: async (context, { path, name }) => {
    const { backups, target } = context
    const staging = `${context.staging}/memories`
    const script = archiveDirectory({ directory: target.directory, path, backups, name, staging })
    await context.job('archive', script, { holds: doneAgain })
    return name
  },
}

export const pruneArchives: ActDefinition<'pruneArchives'> = {
  jobs: ['prune'],
  run: async (context, { names }) => {
    await context.job('prune', removeArchives(context.backups, names), { holds: doneAgain })
    return names.join(', ')
  },
}

export const restoreMemories: ActDefinition<'restoreMemories'> = {
  jobs: ['restore'],
  run: async (context, { name, to }) => {
    const { backups, target } = context
    const script = restoreArchive({ directory: target.directory, backups, name, to })
    await context.job('restore', script, { holds: doneAgain })
    return to
  },
}
