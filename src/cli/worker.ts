import { type Cli, addCommand, globalsOf } from './cli.js'
import { requireConfig } from './configuration.js'
import { exitCodes } from './exit-code.js'

export function addWorker({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'worker',
    does: 'runs the worker until SIGTERM or SIGINT; logs go to standard error as JSON',
    example: 'stepback worker --config /etc/stepback/stepback.yaml',
  })
  command.action(async () => {
    const { config } = requireConfig(globalsOf(command), io)
    const { runWorker } = await import('../worker.js') // the SDK's native part is of no use to any other command
    await runWorker(config)
    exit(exitCodes.done)
  })
}
