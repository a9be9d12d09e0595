// What happens to restore points once they are there.

import { writeManifest } from '../commands/manifest.js'
import { pruneRestorePoints as pruneScript } from '../commands/prune.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'
import { readManifest } from './observe/manifests.js'

export const setPins: ActDefinition<'setPins'> = {
  jobs: ['pins'],
  run: async (context, { id, pins }) => {
    const manifest = await readManifest(context, id)
    const script = writeManifest({ backups: context.backups, manifest: { ...manifest, pins } })
    await context.job('pins', script, { holds: doneAgain })
    return pins.map(({ by }) => by).join(', ') || null
  },
}

export const pruneRestorePoints: ActDefinition<'pruneRestorePoints'> = {
  jobs: ['prune'],
  run: async (context, { points }) => {
    const { backups, target } = context
    await context.job('prune', pruneScript({ target: target.name, backups, points }), { holds: doneAgain })
    return points.map(({ id }) => id).join(', ')
  },
}
