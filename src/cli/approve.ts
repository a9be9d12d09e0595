import { readFileSync } from 'node:fs'
import type { Approve } from '../client.js'
import { StepbackError } from '../plan/failure.js'
import { addAnswer } from './answers.js'
import type { Cli } from './cli.js'

export function addApprove(cli: Cli): void {
  addAnswer<Approve & { readonly key?: string }>(cli, {
    name: 'approve',
    does: 'approves the plan of a run that waits for it',
    example: 'stepback approve rollback-aria-20261123T140211Z --by ada --digest 3fa94c21',
    send: (client, run, { key, ...answer }) =>
      client.approve(run, answer, key === undefined ? {} : { key: readKey(key) }),
  })
    .option('--digest <hex>', "the plan's, or its first 8 digits or more; needed when data would be lost")
    .option('--key <file>', 'your private key, where the configuration has the public one: signs the approval')
    .option('--signature <base64>', 'a signature that was made elsewhere, in place of --key')
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new StepbackError({
      type: 'InvalidRequest',
      message: `key "${file}" cannot be read: ${(cause as Error).message}`,
    })
  }
}
