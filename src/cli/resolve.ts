import type { Resolve } from '../client.js'
import { addAnswer } from './answers.js'
import type { Cli } from './cli.js'
import { choice } from './options.js'

export function addResolve(cli: Cli): void {
  addAnswer<Resolve>(cli, {
    name: 'resolve',
    does: 'says what to do about a step that keeps failing',
    example: 'stepback resolve deploy-aria-20261123T140211Z --by ada --action retry',
    send: (client, run, answer) => client.resolve(run, answer),
  }).addOption(
    choice('--action <action>', 'try the step again, go on without it, or undo', [
      'retry',
      'skip',
      'abort',
    ]).makeOptionMandatory(),
  )
}
