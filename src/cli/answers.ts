// What approve, reject and resolve have in common: one argument, one answer.

import type { Command } from 'commander'
import type { Answered, StepbackClient } from '../client.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { withSession } from './configuration.js'
import { exitCodes } from './exit-code.js'
import { person } from './person.js'
import { visible } from './view/visible.js'

export function addAnswer<T extends { readonly by: string }>(
  { program, io, exit }: Cli,
  input: {
    readonly name: string
    readonly does: string
    readonly example: string
    readonly send: (client: StepbackClient, run: string, answer: T) => Promise<Answered>
  },
): Command {
  const command = addCommand(program, { ...input, name: `${input.name} <run>` })
  return command
    .option('--by <name>', 'who answers', person())
    .option('--comment <text>', 'for the audit record')
    .action(async (run: string, options: T & { readonly config?: string; readonly json?: boolean }) => {
      const { config: _config, json: _json, ...answer } = options
      const globals = globalsOf(command)
      const answered = await withSession(globals, io, (session) =>
        input.send(session.client, run, answer as unknown as T),
      )
      if (globals.json) io.print(JSON.stringify({ run, ...answered }))
      io.say(visible(answered.text))
      exit(exitCodes.done)
    })
}
