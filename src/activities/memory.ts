import { setTimeout as sleep } from 'node:timers/promises'
import { up } from '../commands/compose.js'
import { againWithEngine } from '../commands/engine.js'
import {
  hostMemory,
  parseServiceMemory,
  putEnvironmentBack as backScript,
  restart,
  serviceMemory,
  setKey,
} from '../commands/memory.js'
import { quote } from '../commands/shell.js'
import { type MemorySeen, describeMemory, shortOf } from '../plan/emergency/memory.js'
import { durationMs } from '../plan/duration.js'
import type { ActDefinition } from './act.js'
import { type ActContext, doneAgain } from './context.js'
import { together } from './together.js'

export const measureMemory: ActDefinition<'measureMemory'> = {
  jobs: [],
  run: async (context, { service, settleMs }) => {
    await sleep(settleMs, undefined, { signal: context.signal })
    return describeMemory(service, await readMemory(context, service))
  },
}

export const restartService: ActDefinition<'restartService'> = {
  jobs: ['restart'],
  run: async (context, { service }) => {
    const grace = Math.ceil(durationMs(context.target.emergency.stopGrace) / 1_000)
    await context.job('restart', againWithEngine(restart(context.stack.project, service, grace)), { holds: doneAgain })
    return null
  },
}

export const useSmallerModel: ActDefinition<'useSmallerModel'> = {
  jobs: ['environment', 'up'],
  run: async (context, { service, key, value, levels, settleMs, limits }) => {
    const seen = await readMemory(context, service)
    const short = shortOf(seen, limits)
    // An attempt that died may have set it: memory that is there by now is its doing.
    if (short === null && !(await wasSet(context))) return `not needed: ${describeMemory(service, seen)}`
    const set = await context.job('environment', setKey({ ...placeOf(context), key, value }), { holds: doneAgain })
    await context.job('up', againWithEngine(up(context.stack, levels)), { holds: doneAgain })
    await sleep(settleMs, undefined, { signal: context.signal })
    const after = describeMemory(service, await readMemory(context, service))
    return [
      `${short ?? 'it was short'}`,
      ...(set.trim() === 'same' ? [`${key} was set already`] : []),
      `now ${after}`,
    ].join('; ')
  },
}

export const putEnvironmentBack: ActDefinition<'putEnvironmentBack'> = {
  jobs: ['environment'],
  run: async (context) => {
    await context.job('environment', backScript(placeOf(context)), { holds: doneAgain })
    return null
  },
}

function placeOf({ target, staging }: ActContext) {
  return { directory: target.directory, envFile: target.compose.envFile, staging: `${staging}/environment` }
}

async function wasSet(context: ActContext): Promise<boolean> {
  const kept = quote(`${placeOf(context).staging}/env`)
  return (await context.look(`[ ! -e ${kept} ] || echo kept\n`)).trim() === 'kept'
}

async function readMemory(context: ActContext, service: string): Promise<MemorySeen> {
  const [host, own] = await together([
    context.look(hostMemory),
    context.look(serviceMemory(context.stack.project, service)),
  ])
  const [availableBytes = Number.NaN, totalBytes = Number.NaN] = host.trim().split(' ').map(Number)
  return { availableBytes, totalBytes, serviceBytes: parseServiceMemory(own) }
}
