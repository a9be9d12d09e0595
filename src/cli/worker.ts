import { hostname } from 'node:os'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { type Globals, requireConfig, withSession } from './configuration.js'
import { exitCodes } from './exit-code.js'
import type { Io } from './io.js'

export function addWorker({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'worker',
    does: 'runs the worker until SIGTERM or SIGINT; logs go to standard error as JSON',
    example: 'stepback worker --config /etc/stepback/stepback.yaml',
  })
  command.option('--check', 'only say whether a worker of this machine asks for work, as health checks want to know')
  command.action(async ({ check }: { readonly check?: true }) => {
    if (check) return exit(await checkWorker(globalsOf(command), io))
    const { config } = requireConfig(globalsOf(command), io)
    const { runWorker } = await import('../worker.js') // the SDK's native part is of no use to any other command
    await runWorker(config)
    exit(exitCodes.done)
  })
}

async function checkWorker(globals: Globals, io: Io): Promise<number> {
  const machine = hostname()
  const workers = await withSession(globals, io, ({ client }) => client.workers(machine))
  io.say(workers > 0 ? `a worker of ${machine} asks for work` : `no worker of ${machine} asks for work`)
  return workers > 0 ? exitCodes.done : exitCodes.unexpected
}
