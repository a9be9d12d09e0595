import { type Cli, addCommand, globalsOf } from './cli.js'
import { withSession } from './configuration.js'
import { followRun } from './follow-run.js'

export function addWatch({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'watch <run>',
    does: 'follows a run to its end, or shows how it ended',
    example: 'stepback watch rollback-aria-20261123T140211Z',
  })
  command
    .option('--no-wait', 'leave with exit status 6 when it waits for an answer')
    .action(async (run: string, { wait }: { readonly wait: boolean }) => {
      const globals = globalsOf(command)
      exit(
        await withSession(globals, io, (session) => followRun({ io, session, run, wait, json: globals.json === true })),
      )
    })
}
