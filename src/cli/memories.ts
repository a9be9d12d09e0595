import { Argument } from 'commander'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { withSession } from './configuration.js'
import { followRun } from './follow-run.js'
import { parseBackupRequest } from '../config/request.js'
import { person } from './person.js'

const whats = { archive: 'memories', restore: 'restore-memories' } as const

interface Options {
  readonly reason?: string
  readonly requestedBy?: string
  readonly dryRun?: boolean
  readonly wait: boolean
}

export function addMemories({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'memories <target>',
    does: 'archives the memories directory, or restores an archive beside it',
    example: 'stepback memories aria archive\nstepback memories aria restore memories_20261123T031500Z.tar.gz',
  })
  command
    .addArgument(new Argument('<action>', 'what to do').choices(Object.keys(whats)))
    .argument('[archive]', 'its name, for restore')
    .option('--reason <text>', 'why')
    .option('--requested-by <name>', 'who asks for it (default: you)')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--no-wait', 'leave with exit status 6 when it waits for an answer; the run goes on')
    .action(async (target: string, action: keyof typeof whats, id: string | undefined, options: Options) => {
      const { wait, dryRun = false, reason, requestedBy = person() } = options
      const input = { target, what: whats[action], id, reason, requestedBy, dryRun }
      parseBackupRequest(input)
      const { json = false, ...globals } = globalsOf(command)
      exit(
        await withSession({ ...globals, json }, io, async (session) => {
          const run = await session.client.startBackup(input)
          return await followRun({ io, session, run, wait, json, dryRun })
        }),
      )
    })
}
