// Where the database is reached as the host sees it: as configured, published, or at its container's own address.

import { setTimeout as sleep } from 'node:timers/promises'
import type { SshConnection } from '../adapters/ssh.js'
import { type Endpoint, type Inspected, endpoints, unreachable } from '../plan/endpoint.js'

/** An address that no route leads to takes minutes to say so. */
const dialMs = 3_000

/** The first that answers. Dialled one after the other, so that a published port is never passed over by chance. */
export async function databaseEndpoint(ssh: SshConnection, service: string, container: Inspected): Promise<Endpoint> {
  const candidates = endpoints(container)
  for (const endpoint of candidates) {
    if (await answers(ssh, endpoint)) return endpoint
  }
  throw unreachable(service, candidates)
}

async function answers(ssh: SshConnection, endpoint: Endpoint): Promise<boolean> {
  const dialled = ssh.dial(endpoint).then(
    (stream) => {
      stream.destroy()
      return true
    },
    () => false,
  )
  return await Promise.race([dialled, sleep(dialMs, false, { ref: false })])
}
