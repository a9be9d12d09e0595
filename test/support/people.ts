// People with keys, as a configuration knows them.

import { generateKeyPairSync } from 'node:crypto'

/** Both halves of an Ed25519 key in PEM, as `openssl genpkey -algorithm ed25519` makes them. */
export function keyPair(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}
