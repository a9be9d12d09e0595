import { Argument } from 'commander'
import type { EmergencyInput } from '../client.js'
import { parseEmergencyRequest } from '../config/request.js'
import { procedures } from '../plan/request.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { withSession } from './configuration.js'
import { followRun } from './follow-run.js'
import { choice } from './options.js'
import { person } from './person.js'

type EmergencyOptions = Omit<EmergencyInput, 'target' | 'procedure'> & { readonly wait: boolean }

export function addEmergency({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'emergency <target>',
    does: 'starts an emergency procedure, which asks nobody, and follows it',
    example: 'stepback emergency aria stop --reason "it answers with the data of others"',
  })
  command
    .addArgument(new Argument('<procedure>', 'what to do').choices(procedures))
    .requiredOption('--reason <text>', 'why, for the Web UI and the audit record')
    .addOption(choice('--severity <severity>', 'how bad it is', ['failure', 'degradation']))
    .option('--requested-by <name>', 'who asks for it (default: you)')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--no-wait', 'leave with exit status 6 when it waits for an answer; the run goes on')
    .action(async (target: string, procedure: EmergencyInput['procedure'], options: EmergencyOptions) => {
      const { wait, reason, severity, dryRun = false, requestedBy = person() } = options
      const input = { target, procedure, reason, severity, requestedBy, dryRun }
      parseEmergencyRequest(input)
      const { json = false, ...globals } = globalsOf(command)
      exit(
        await withSession({ ...globals, json }, io, async (session) => {
          const run = await session.client.startEmergency(input)
          return await followRun({ io, session, run, wait, json, dryRun })
        }),
      )
    })
}
