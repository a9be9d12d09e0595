import type { Reject } from '../client.js'
import { addAnswer } from './answers.js'
import type { Cli } from './cli.js'

export function addReject(cli: Cli): void {
  addAnswer<Reject>(cli, {
    name: 'reject',
    does: 'rejects the plan of a run that waits for an approval',
    example: 'stepback reject rollback-aria-20261123T140211Z --by ada --comment "not before noon"',
    send: (client, run, answer) => client.reject(run, answer),
  })
}
