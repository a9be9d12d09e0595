import { Argument } from 'commander'
import type { Change } from '../client.js'
import type { Config } from '../config/schema.js'
import { type Schedule, schedulesOf } from '../plan/schedules.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig, withSession } from './configuration.js'
import { exitCodes } from './exit-code.js'
import { visible } from './view/visible.js'

export function addSchedules({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'schedules',
    does: "shows how Temporal's schedules differ from the configuration, or makes them equal to it",
    example: 'stepback schedules\nstepback schedules apply',
  })
  command
    .addArgument(new Argument('[action]', 'what to do').choices(['show', 'apply']).default('show'))
    .action(async (action: 'show' | 'apply') => {
      const { json = false, ...globals } = globalsOf(command)
      const { config } = requireConfig(globals, io)
      const apply = action === 'apply'
      const [wanted, targets] = [wantedBy(config), Object.keys(config.targets)]
      const changes = await withSession({ ...globals, json }, io, ({ client }) =>
        client.alignSchedules({ targets, wanted, apply }),
      )
      if (json) io.print(JSON.stringify(changes))
      else for (const line of changes.length > 0 ? changes.map((it) => inWords(it, apply)) : [asTheyAre]) io.print(line)
      if (!json && !apply && changes.length > 0) io.say('make it so: stepback schedules apply')
      exit(exitCodes.done)
    })
}

const asTheyAre = 'the schedules are as the configuration says'

function wantedBy({ targets, temporal }: Config): Schedule[] {
  return Object.entries(targets).flatMap(([target, { schedules: times, database, memories }]) => {
    const has = { database: database !== undefined, memories: memories !== undefined }
    return schedulesOf({ target, taskQueue: temporal.taskQueue, times, ...has })
  })
}

function inWords({ does, id, differs }: Change, done: boolean): string {
  const words = done
    ? { create: 'created', update: 'changed', delete: 'deleted' }
    : { create: 'to create', update: 'to change', delete: 'to delete' }
  return visible(`${words[does]}: ${id}${differs.length > 0 ? ` (${differs.join('; ')})` : ''}`)
}
