// Whether a person's key signed: asked here, since a workflow has neither the configuration nor any cryptography.

import { createPublicKey, verify } from 'node:crypto'
import { sameName } from '../plan/gate.js'
import { beating } from './act.js'
import type { Deps } from './deps.js'

export function signatureActivities({ config }: Deps) {
  return {
    /** Why the signature does not count, or null. A name whose key is gone by now is refused. */
    async checkSignature(input: {
      readonly by: string
      readonly text: string
      /** In base64. */
      readonly signature: string
    }): Promise<string | null> {
      return await beating(async () => {
        const { by, text, signature } = input
        const person = Object.entries(config.people).find(([name]) => sameName(name, by))?.[1]
        if (!person) return `signature: "${by}" has no public key in the configuration of this worker`
        const key = createPublicKey(person.publicKey)
        const good = verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
        return good ? null : `signature: not one of "${by}" over "${text}"`
      })
    },
  }
}
