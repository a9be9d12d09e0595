// What only emergencies do.

import { Context } from '@temporalio/activity'
import { askServer, runningServices } from '../commands/compose.js'
import { freeBytes, parseBytes } from '../commands/observe.js'
import { describeSeen, seenService, verdictOf } from '../plan/emergency/unresponsive.js'
import { StepbackError } from '../plan/failure.js'
import type { ActDefinition } from './act.js'
import type { ActContext } from './context.js'
import { raiseDatabaseFence } from './database-fence.js'
import { readContainers } from './observe/containers.js'

export const listContainers: ActDefinition<'listContainers'> = {
  jobs: [],
  looksFirst: true,
  run: async (context) => describeSeen((await readContainers(context)).map(seenService)) || 'none',
}

/** Another attempt finds the entry of the first one, which saw what ran. */
export const recordStop: ActDefinition<'recordStop'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { services, ran }) => {
    const running = (await context.look(`${runningServices(context.stack.project)}\n`)).split('\n')
    const all = [...new Set([...ran, ...running.filter((it) => services.includes(it))])].toSorted()
    await context.begun
    await context.mark({ kind: 'stopped', run: context.run, ran: all })
    return all.join(', ') || 'nothing ran'
  },
}

export const recordStart: ActDefinition<'recordStart'> = {
  jobs: [],
  run: async (context) => {
    await context.mark({ kind: 'started', run: context.run })
    return null
  },
}

export const fenceDatabase: ActDefinition<'fenceDatabase'> = {
  jobs: [],
  run: async (context, { must }) => {
    const by = { run: context.run, attempt: Context.current().info.attempt }
    try {
      await raiseDatabaseFence(context.deps, context.target, context.token, by)
      return null
    } catch (error) {
      if (must || !(error instanceof StepbackError)) throw error
      return 'the database does not answer; the next run does it'
    }
  },
}

export const askDatabase: ActDefinition<'askDatabase'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { service }) => (await ready(context, service)).detail,
}

export const giveVerdict: ActDefinition<'giveVerdict'> = {
  jobs: [],
  looksFirst: true,
  run: async (context, { seen, database, stoppedBy }) => {
    const { name: target, services, disk, backups } = context.target
    const [answer, free] = await Promise.all([
      database === null ? null : ready(context, database),
      context.look(freeBytes(backups)),
    ])
    const bytes = { freeBytes: parseBytes(free), neededBytes: disk.freeBytes }
    return verdictOf({ target, application: services.application, seen, database: answer, ...bytes, stoppedBy })
  },
}

/** In the words of pg_isready's exit status. */
async function ready(context: ActContext, service: string) {
  const { exitCode } = await context.host.look({ script: askServer(context.stack.project, service) })
  return { accepts: exitCode === 0, detail: answers[exitCode] ?? `could not be asked (exit status ${exitCode})` }
}

const answers: Readonly<Record<number, string>> = {
  0: 'accepts connections',
  1: 'rejects connections, as a server does that starts or stops',
  2: 'does not answer',
  4: 'does not run: its container is stopped',
}
