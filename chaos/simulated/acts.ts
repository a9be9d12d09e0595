// The acts of a deploy: the real ones where they go through the host alone, and stand-ins of the same shape for files,
// restore points and the database, of which the simulated host reads no shell.

import type { ActCatalogue, ActDefinition } from '../../src/activities/act.js'
import { type ActContext, doneAgain } from '../../src/activities/context.js'
import { putFiles } from '../../src/activities/files.js'
import { checkHealth, checkVersion, collectLogs, watchHealth } from '../../src/activities/health.js'
import { buildImages, keepImages, restoreImages } from '../../src/activities/images.js'
import { startServices, stopServices } from '../../src/activities/services.js'
import { together } from '../../src/activities/together.js'
import type { ActName } from '../../src/plan/act.js'
import { StepbackError } from '../../src/plan/failure.js'
import { connectionOf, hostOf } from './deps.js'

export const simulatedActs = {
  takeRestorePoint: {
    jobs: ['files', 'dump', 'manifest'],
    looksFirst: true,
    run: async (context) => {
      await together([context.look('simulated: containers'), job(context, 'files'), context.look('simulated: model')])
      await job(context, 'dump')
      await job(context, 'manifest')
      return context.safety
    },
  },
  proveRestorePoint: {
    jobs: ['prove', 'verdict'],
    run: async (context) => {
      await context.look('simulated: manifest')
      await job(context, 'prove')
      await job(context, 'verdict')
      return 'proven'
    },
  },
  dropUnprovenCopy: one('drop'),
  keepImages,
  putFiles,
  restoreFiles: one('restore'),
  buildImages,
  restoreImages,
  stopServices,
  startServices,
  migrateUp: {
    jobs: [],
    looksFirst: true,
    run: async (context, { migrations }) => await migrate(context, 'up', migrations),
  },
  migrateDown: {
    jobs: [],
    looksFirst: true,
    run: async (context, { migrations }) => await migrate(context, 'down', migrations),
  },
  checkHealth,
  checkVersion,
  watchHealth,
  collectLogs,
} satisfies Partial<ActCatalogue>

/** Whatever else a plan names fails the run: it would have to be simulated first. */
export const catalogue = simulatedActs as Partial<ActCatalogue> as ActCatalogue

function one(name: string): ActDefinition<ActName> {
  return {
    jobs: [name],
    looksFirst: true,
    run: async (context) => {
      await context.look('simulated: manifests')
      await job(context, name)
      return null
    },
  }
}

async function job(context: ActContext, name: string): Promise<void> {
  await context.job(name, `simulated: ${name}`, { holds: doneAgain })
}

/** One transaction, begun behind the look at the lease: whole or not at all, and nobody may know which. */
async function migrate(context: ActContext, way: 'up' | 'down', names: readonly string[]): Promise<string> {
  const { ground, migrated, release, helper } = hostOf(context)
  const ask = async <T>(what: string, act: () => Promise<T>) =>
    await connectionOf(context).command(`${way} ${what}`, act)
  await ask('connect', async () => undefined)
  await context.begun
  return await ask('commit', async () => {
    if (!helper.lease.inForce(context.token)) throw new StepbackError({ type: 'Fenced', message: 'fenced' })
    if (way === 'up' && release === 'does not migrate')
      throw new StepbackError({ type: 'StepFailed', message: 'the migration failed' })
    const open = names.filter((name) => ground.applied.includes(name) === (way === 'down'))
    migrated[way] += open.length
    const others = ground.applied.filter((name) => !open.includes(name))
    ground.applied.splice(0, Infinity, ...others, ...(way === 'up' ? open : []))
    return `${way} ${open.length}`
  })
}
