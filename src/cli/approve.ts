import type { Approve } from '../client.js'
import { addAnswer } from './answers.js'
import type { Cli } from './cli.js'

export function addApprove(cli: Cli): void {
  addAnswer<Approve>(cli, {
    name: 'approve',
    does: 'approves the plan of a run that waits for it',
    example: 'stepback approve rollback-aria-20261123T140211Z --by ada --digest 3fa94c21',
    send: (client, run, answer) => client.approve(run, answer),
  })
    .option('--digest <hex>', "the plan's, or its first 8 digits or more; needed when data would be lost")
    .option('--signature <text>', 'for approvals that must be signed')
}
