// One SSH connection for each target, opened when it is first needed and again when it died.

import type { Target } from '../config/schema.js'
import { againIfQuick } from './again.js'
import { Host } from './host.js'
import { UnknownHostKey } from './known-hosts.js'
import type { HostKeyOffer } from './known-hosts.js'
import { rememberHostKey } from './known-hosts/remember.js'
import { SshConnection } from './ssh.js'
import { routeTo } from './ssh/route.js'

/** What a person says to the key of a host that is met for the first time. */
export type AcceptHostKey = (offer: HostKeyOffer) => Promise<boolean>

/** What a connection needs to know of a target. */
export type Reachable = Pick<Target, 'name' | 'ssh'>

interface Opening {
  readonly connection: Promise<SshConnection>
  /** Whether it failed, or is over. */
  isOver: () => boolean
}

export class HostPool {
  readonly #openings = new Map<string, Opening>()
  readonly #hosts = new Map<string, Host>()

  host(target: Target): Host {
    const known = this.#hosts.get(target.name)
    if (known) return known
    const stateDirectory = `${target.backups}/.stepback/${target.name}`
    const host = new Host({ ssh: () => this.ssh(target), stateDirectory })
    this.#hosts.set(target.name, host)
    return host
  }

  ssh(target: Reachable): Promise<SshConnection> {
    const known = this.#openings.get(target.name)
    if (known && !known.isOver()) return known.connection
    const opening: Opening = {
      connection: routeTo(target).then((route) => againIfQuick(() => SshConnection.open(route))),
      isOver: () => false,
    }
    opening.connection.then(
      (connection) => (opening.isOver = () => connection.closed),
      () => (opening.isOver = () => true),
    )
    this.#openings.set(target.name, opening)
    return opening.connection
  }

  /** Connects; a key on the way that nobody knows is shown to `accept`, and written down when that says yes. */
  async introduce(target: Reachable, accept: AcceptHostKey): Promise<void> {
    const written = new Set<string>()
    for (;;) {
      try {
        return void (await this.ssh(target))
      } catch (error) {
        if (!(error instanceof UnknownHostKey)) throw error
        const { name, fingerprint } = error.offer
        // Known now and unknown still: the file does not keep what is written to it.
        if (written.has(`${name} ${fingerprint}`) || !(await accept(error.offer))) throw error
        rememberHostKey(error.offer)
        written.add(`${name} ${fingerprint}`)
      }
    }
  }

  async close(): Promise<void> {
    const open = [...this.#openings.values()].map((it) =>
      it.connection.then((ssh) => ssh.close()).catch(() => undefined),
    )
    await Promise.all(open)
  }
}
