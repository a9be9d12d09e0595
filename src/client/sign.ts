// Signing an approval with a person's own key, which never leaves the machine where it is typed.

import { createPrivateKey, sign as signWith } from 'node:crypto'
import { StepbackError } from '../plan/failure.js'
import { type Approve, isDigestOf } from '../plan/gate.js'
import type { Progress } from '../plan/progress.js'

/** In base64. Only what was asked for is signed: that run, and a plan of that digest, whatever a worker says. */
export function sign(run: string, { by, digest }: Approve, { gate }: Progress, key: string): string {
  const text = gate?.signs
  if (text === undefined) throw refused(`run "${run}" waits for no signature`, run)
  const plan = text.split(' ').at(-1)!
  if (!text.startsWith(`stepback approve ${run} `))
    throw refused(`a worker shows the text of another run: "${text}"`, run)
  if (digest === undefined || !isDigestOf(digest, plan))
    throw refused(
      digest === undefined ? 'digest: missing; it says which plan is signed' : `digest: this plan's is ${plan}`,
      run,
    )
  return signWith(null, Buffer.from(`${text} ${by}`), privateKey(key)).toString('base64')
}

function privateKey(pem: string) {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // said below, and without a word of what was read
  }
  throw new StepbackError({
    type: 'InvalidRequest',
    message: 'the key is no Ed25519 private key in PEM without a passphrase',
    hint: 'make one: openssl genpkey -algorithm ed25519 -out me.pem',
  })
}

function refused(message: string, run: string): StepbackError {
  return new StepbackError({
    type: 'ApprovalRefused',
    message,
    hint: `look at what it waits for: stepback watch ${run}`,
  })
}
