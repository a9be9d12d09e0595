// What a person says to a host key that nobody knows yet: beforehand by its fingerprint, or when asked on a terminal.

import type { AcceptHostKey } from '../../adapters/hosts.js'
import { StepbackError } from '../../plan/failure.js'
import type { Io } from '../io.js'
import { visible } from '../view/visible.js'

type Offer = Parameters<AcceptHostKey>[0]

/** Answers for one look at all targets: what is accepted is said, and one question is asked at a time. */
export function hostKeyAnswer(input: {
  readonly io: Io
  /** Fingerprints; where there are some, nobody is asked. */
  readonly accepted: readonly string[] | undefined
  readonly asks: boolean
}): AcceptHostKey {
  const { io, accepted } = input
  const ask = input.asks ? io.ask : undefined
  let asking: Promise<unknown> = Promise.resolve()
  return async (offer) => {
    const decide = accepted ? () => compare(offer, accepted) : () => (ask ? question(offer, ask) : false)
    const answer = asking.then(decide)
    asking = answer.catch(() => undefined)
    const yes = await answer
    if (yes)
      io.say(`${visible(offer.name)} is known from now on, as ${offer.type} ${offer.fingerprint} in ${offer.file}`)
    return yes
  }
}

function compare(offer: Offer, accepted: readonly string[]): boolean {
  if (accepted.includes(offer.fingerprint)) return true
  throw new StepbackError({
    type: 'Refused',
    message: `the host key of '${offer.name}' is ${offer.fingerprint}, not ${accepted.join(' or ')}`,
    hint: 'compare the fingerprint on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
  })
}

async function question(offer: Offer, ask: NonNullable<Io['ask']>): Promise<boolean> {
  const answer = await ask(
    `'${visible(offer.name)}' is met for the first time. Its ${offer.type} key has the fingerprint\n` +
      `  ${offer.fingerprint}\n` +
      `Does the host itself show the same, and is this key to be trusted? (yes/no) `,
  )
  return answer.trim().toLowerCase() === 'yes'
}
