// Looks at a host that no target leads to yet: no helper is put there, and nothing is kept.

import { randomBytes } from 'node:crypto'
import type { SshConnection } from '../../adapters/ssh.js'
import { plainAnswer, plainLook } from '../../commands/project.js'
import { StepbackError } from '../../plan/failure.js'
import type { Answer } from './look.js'

/** What a script answered, whatever its exit status; `Refused` where no sh ran it. */
export async function tryPlain(ssh: Pick<SshConnection, 'exec' | 'where'>, script: string): Promise<Answer> {
  const nonce = randomBytes(8).toString('hex')
  const { exitCode, stdout, stderr } = await ssh.exec(plainLook({ script, nonce }))
  const answer = plainAnswer({ stdout: stdout.toString('utf8'), nonce })
  if (answer !== undefined) return { exitCode: exitCode ?? 1, stdout: answer, stderr: stderr.toString('utf8') }
  throw new StepbackError({
    type: 'Refused',
    message: `no /bin/sh answers on '${ssh.where}'`,
    hint: 'try it by hand: ssh to it, and start /bin/sh.',
  })
}
