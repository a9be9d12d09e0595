import type { Command } from 'commander'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { exitCodes } from './exit-code.js'
import { wholeNumber } from './options.js'
import { columns } from './view/columns.js'

const load = () => import('../../sandbox/index.js')

export function addSandbox(cli: Cli): void {
  const sandbox = cli.program.command('sandbox').description('a real target on this machine, to try everything on')
  addUp(cli, sandbox)
  addDown(cli, sandbox)
  addStatus(cli, sandbox)
  addBreak(cli, sandbox)
  addMend(cli, sandbox)
}

function addUp({ io, exit }: Cli, parent: Command): void {
  const example = 'stepback sandbox up --size 1000000000'
  const command = addCommand(parent, { name: 'up', does: 'brings up what is missing of it', example })
  command
    .option('--size <bytes>', 'fill the database to this size', wholeNumber)
    .action(async (options: { readonly size?: number }) => {
      const { up } = await load()
      const size = options.size === undefined ? {} : { size: options.size }
      const sandbox = await up({ progress: (line) => io.say(line), ...size })
      if (globalsOf(command).json) io.print(JSON.stringify(sandbox))
      else io.say(`target ${sandbox.target}, Web UI ${sandbox.temporal.ui}, configuration ${sandbox.config}`)
      exit(exitCodes.done)
    })
}

function addDown({ io, exit }: Cli, parent: Command): void {
  const command = addCommand(parent, { name: 'down', does: 'ends it and removes it', example: 'stepback sandbox down' })
  command.action(async () => {
    const { down } = await load()
    await down({ progress: (line) => io.say(line) })
    exit(exitCodes.done)
  })
}

function addStatus({ io, exit }: Cli, parent: Command): void {
  const example = 'stepback sandbox status --json'
  const command = addCommand(parent, { name: 'status', does: 'says what of it runs', example })
  command.action(async () => {
    const { status } = await load()
    const found = await status()
    const processes = Object.entries(found.processes).map(([name, it]) => [
      name,
      it.running ? `pid ${it.pid}` : 'not running',
    ])
    if (globalsOf(command).json) io.print(JSON.stringify(found))
    else
      for (const line of columns([
        ['sandbox', found.up ? 'up' : 'not up'],
        ...processes,
        ...Object.entries(found.services),
      ]))
        io.print(line)
    exit(found.up ? exitCodes.done : exitCodes.unexpected)
  })
}

function addBreak({ io, exit }: Cli, parent: Command): void {
  const example = 'stepback sandbox break error-rate --service aria-api'
  const command = addCommand(parent, { name: 'break <kind>', does: 'makes a service misbehave on purpose', example })
  command
    .option('--service <name>', 'another service than the one that the kind is meant for')
    .option('--version <version>', 'only while this version runs, or "any"')
    .action(async (kind: string, { service, version }: { readonly service?: string; readonly version?: string }) => {
      const { breakIt } = await load()
      const fault = await breakIt({ kind, ...(service ? { service } : {}), ...(version ? { version } : {}) })
      if (globalsOf(command).json) io.print(JSON.stringify(fault))
      else
        io.say(
          `${fault.service} has the fault ${fault.kind} while ${fault.version} runs; mend it: stepback sandbox mend`,
        )
      exit(exitCodes.done)
    })
}

function addMend({ exit }: Cli, parent: Command): void {
  const command = addCommand(parent, { name: 'mend', does: 'takes every fault back', example: 'stepback sandbox mend' })
  command.action(async () => {
    const { mend } = await load()
    await mend()
    exit(exitCodes.done)
  })
}
