import { stop, up } from '../commands/compose.js'
import { script } from '../commands/shell.js'
import { durationMs } from '../plan/duration.js'
import type { ActDefinition } from './act.js'
import { doneAgain } from './context.js'
import { readContainers } from './observe/containers.js'

/** Stops application services, killing what takes longer than the configured grace. */
export const stopServices: ActDefinition<'stopServices'> = {
  jobs: ['stop'],
  run: async (context, { services }) => {
    const running = async () =>
      (await readContainers(context)).filter((it) => it.running && services.includes(it.service))
    if ((await running()).length === 0) return 'nothing was running'
    const grace = Math.ceil(durationMs(context.target.services.stopGrace) / 1_000)
    await context.job('stop', script(...stop(context.stack, services, grace)), {
      holds: async () => (await running()).length === 0,
    })
    return null
  },
}

/** Starts what is not running as its configuration and image say; Compose leaves what is right alone. */
export const startServices: ActDefinition<'startServices'> = {
  jobs: ['up'],
  run: async (context, { levels }) => {
    // Compose leaves what is right alone, so a job of unknown end is simply done again.
    await context.job('up', script(...up(context.stack, levels)), { holds: doneAgain })
    const lasting = levels.filter((level) => !level.completes).flatMap((level) => level.services)
    const running = new Set((await readContainers(context)).filter((it) => it.running).map((it) => it.service))
    return `${lasting.filter((service) => running.has(service)).length} of ${lasting.length} running`
  },
}
