// Freeing the disk: each act says what went, what did not, and how much that freed.

import {
  buildCache,
  measureDisks,
  measuring,
  removals,
  removeEach,
  removeLogs as logsScript,
} from '../commands/disk.js'
import { listShelf, pruneRestorePoints } from '../commands/prune.js'
import { dumpsToGo, megabytes } from '../plan/emergency/disk.js'
import { heldRestorePoints } from '../plan/ledger.js'
import type { ActDefinition } from './act.js'
import { type ActContext, doneAgain } from './context.js'
import { ledgerRecords } from './observe/ledger.js'
import { readManifests } from './observe/manifests.js'

export const measureDisk: ActDefinition<'measureDisk'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { places }) => {
    const lines = (await context.look(measureDisks(places))).split('\n')
    const told = places.flatMap((place, index) => {
      const it = measured(lines[index])
      return it ? [`${place}: ${megabytes(it.free)} MB of ${megabytes(it.all)} MB free`] : []
    })
    return told.join('; ') || 'nobody can tell'
  },
}

export const removeContainers: ActDefinition<'removeContainers'> = {
  jobs: ['remove'],
  run: (context, { containers, at }) =>
    counted(context, at, removeEach(containers.map((it) => removals.container(it.id)))),
}

export const removeImages: ActDefinition<'removeImages'> = {
  jobs: ['remove'],
  run: (context, { images, at }) => counted(context, at, removeEach(images.map(removals.image))),
}

export const pruneBuildCache: ActDefinition<'pruneBuildCache'> = {
  jobs: ['remove'],
  run: async (context, { at }) => {
    const { left, freed } = await removing(context, at, buildCache)
    return [left === '0' ? 'removed' : 'Docker could not', ...freed].join(', ')
  },
}

export const removeVolumes: ActDefinition<'removeVolumes'> = {
  jobs: ['remove'],
  run: (context, { volumes, at }) => counted(context, at, removeEach(volumes.map(removals.volume))),
}

/** Only what would still go now: since the plan was made somebody may have pinned one, or begun to go back to it. */
export const removeDumps: ActDefinition<'removeDumps'> = {
  jobs: ['remove'],
  run: async (context, { files, points, keep }) => {
    const { backups, target } = context
    const held = heldRestorePoints(await ledgerRecords(context.host))
    const shelf = (await context.look(listShelf(backups))).split('\n')
    const now = dumpsToGo({ manifests: await readManifests(context), shelf, keep, held })
    const legacy = files.filter((it) => now.files.includes(it))
    const old = points.filter(({ id }) => now.points.some((it) => it.id === id))
    const script = [
      `(\n${removeEach(legacy.map((name) => removals.file(`${backups}/${name}`)))})\n`,
      `(\n${pruneRestorePoints({ target: target.name, backups, points: old })})\n`,
    ]
    const { freed } = await removing(context, backups, script.join(''))
    return [[...legacy, ...old.map(({ id }) => id)].join(', ') || 'none', ...freed].join('; ')
  },
}

export const removeLogs: ActDefinition<'removeLogs'> = {
  jobs: ['remove'],
  run: (context, args) =>
    counted(context, context.target.directory, logsScript({ ...args, directory: context.target.directory })),
}

/** `3 removed, 1 could not be, 120.0 MB freed`. */
async function counted(context: ActContext, at: string | null, script: string): Promise<string> {
  const { gone, left, freed } = await removing(context, at, script)
  return [`${gone} removed`, ...(left === '0' ? [] : [`${left} could not be`]), ...freed].join(', ')
}

async function removing(context: ActContext, at: string | null, script: string) {
  const printed = await context.job('remove', at === null ? script : measuring(at, script), { holds: doneAgain })
  const lines = printed.trimEnd().split('\n')
  const [before, after] = at === null ? [] : [measured(lines.shift()), measured(lines.pop())]
  const [gone = '0', left = '0'] = (lines[0] ?? '').split(' ')
  const freed = before && after ? [`${megabytes(Math.max(0, after.free - before.free))} MB freed`] : []
  return { gone, left, freed }
}

/** A line of `measureDisks`; null where nobody could tell. */
function measured(line = '') {
  const [free, all] = line.split(' ').map(Number)
  return free !== undefined && all !== undefined && !Number.isNaN(free + all) ? { free, all } : null
}
