import { remove, runningServices, stop, up } from '../commands/compose.js'
import { againWithEngine } from '../commands/engine.js'
import { durationMs } from '../plan/duration.js'
import type { ActDefinition } from './act.js'
import { type ActContext, doneAgain } from './context.js'
import { readContainers } from './observe/containers.js'

/** Stops application services, killing what takes longer than the configured grace. */
export const stopServices: ActDefinition<'stopServices'> = {
  jobs: ['stop'],
  run: async (context, { services, graceSeconds }) => {
    const running = async () =>
      (await readContainers(context)).filter((it) => it.running && services.includes(it.service))
    const lines = stop(context.stack.project, services, graceSeconds ?? graceOf(context))
    await context.job('stop', againWithEngine(lines), { holds: async () => (await running()).length === 0 })
    return null
  },
}

/** Removes what no service of the stack is any more; one that somebody started meanwhile is stopped first. */
export const removeServices: ActDefinition<'removeServices'> = {
  jobs: ['remove'],
  run: async (context, { services }) => {
    const left = async () => (await readContainers(context)).filter((it) => services.includes(it.service))
    if ((await left()).length === 0) return 'nothing was left'
    const { project } = context.stack
    const lines = [...stop(project, services, graceOf(context)), ...remove(project, services)]
    await context.job('remove', againWithEngine(lines), { holds: async () => (await left()).length === 0 })
    return null
  },
}

/** Starts what is not running as its configuration and image say; Compose leaves what is right alone. */
export const startServices: ActDefinition<'startServices'> = {
  jobs: ['up'],
  run: async (context, { levels }) => {
    const { stack } = context
    // Compose leaves what is right alone, so a job of unknown end is simply done again.
    const printed = await context.job('up', againWithEngine([...up(stack, levels), runningServices(stack.project)]), {
      holds: doneAgain,
    })
    const lasting = levels.filter((level) => !level.completes).flatMap((level) => level.services)
    const services = new Set(printed.split('\n'))
    return `${lasting.filter((service) => services.has(service)).length} of ${lasting.length} running`
  },
}

/** Seconds until a container that does not stop is killed. */
function graceOf({ target }: ActContext): number {
  return Math.ceil(durationMs(target.services.stopGrace) / 1_000)
}
