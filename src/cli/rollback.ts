import type { RollbackInput } from '../client.js'
import { parseRollbackRequest } from '../config/request.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { withSession } from './configuration.js'
import { followRun } from './follow-run.js'
import { addRunOptions, choice, list } from './options.js'
import { person } from './person.js'

type RollbackOptions = Omit<RollbackInput, 'target'> & { readonly wait: boolean }

export function addRollback({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'rollback <target>',
    does: 'starts a rollback and follows it',
    example:
      'stepback rollback aria --dry-run\nstepback rollback aria --to 20261123T140211Z-2.0.0 --reason "error rate up"',
  })
  addRunOptions(command)
    .addOption(
      choice('--scope <scope>', 'what goes back (default: full)', ['full', 'database', 'containers', 'config']),
    )
    .option('--to <where>', 'a restore point or "latest"; by scope also -N, a revision, "base", or a version')
    .option('--services <names>', 'a,b or repeated: only these', list)
    .addOption(choice('--strategy <strategy>', 'how the database goes back', ['auto', 'migrate', 'swap', 'restore']))
    .addOption(choice('--secrets <which>', 'values of secret keys (default: keep)', ['keep', 'restore']))
    .option('--carry-forward <tables>', 'a,b or "all": rows written since come along', list)
    .addOption(choice('--severity <severity>', 'how bad it is', ['failure', 'degradation']))
    .action(async (target: string, options: RollbackOptions) => {
      const { wait, json = false, ...request } = { ...options, ...globalsOf(command) }
      const input = rollbackInput(target, request)
      exit(
        await withSession({ ...globalsOf(command), json }, io, async (session) => {
          const run = await session.client.startRollback(input)
          return await followRun({ io, session, run, wait, json, dryRun: input.dryRun === true })
        }),
      )
    })
}

/** The request as it was asked for; `InvalidRequest` before anything is started. */
export function rollbackInput(
  target: string,
  options: Omit<RollbackInput, 'target'> & { readonly config?: string },
): RollbackInput {
  const { config: _config, carryForward, ...asked } = options
  const everything = Array.isArray(carryForward) && carryForward.length === 1 && carryForward[0] === 'all'
  const carried = carryForward === undefined ? {} : { carryForward: everything ? ('all' as const) : carryForward }
  const input = { target, ...asked, ...carried, requestedBy: asked.requestedBy ?? person() }
  parseRollbackRequest(input)
  return input
}
