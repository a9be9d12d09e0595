// Looks at a host on which nothing was ever begun: no helper is put there, and nothing is kept.

import { randomBytes } from 'node:crypto'
import { plainAnswer, plainLook } from '../../commands/project.js'
import { StepbackError } from '../../plan/failure.js'
import type { SshConnection } from '../ssh.js'

/** What a script answered, whatever its exit status; `Refused` where no sh ran it. */
export async function tryPlain(
  ssh: Pick<SshConnection, 'exec' | 'where'>,
  script: string,
  signal?: AbortSignal,
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const nonce = randomBytes(8).toString('hex')
  const { exitCode, stdout, stderr } = await ssh.exec({ ...plainLook({ script, nonce }), signal })
  const answer = (printed: Buffer) => plainAnswer({ printed: printed.toString('utf8'), nonce })
  const found = answer(stdout)
  if (found !== undefined) return { exitCode: exitCode ?? 1, stdout: found, stderr: answer(stderr) ?? '' }
  throw new StepbackError({
    type: 'Refused',
    message: `no /bin/sh answers on '${ssh.where}'`,
    hint: 'try it by hand: ssh to it, and start /bin/sh.',
  })
}
