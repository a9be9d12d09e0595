// One SSH connection for each target, opened when it is first needed and again when it died.

import type { Target } from '../config/schema.js'
import { Host } from './host.js'
import { SshConnection } from './ssh.js'

export class HostPool {
  readonly #connections = new Map<string, Promise<SshConnection>>()
  readonly #hosts = new Map<string, Host>()

  host(target: Target): Host {
    const known = this.#hosts.get(target.name)
    if (known) return known
    const stateDirectory = `${target.backups}/.stepback/${target.name}`
    const host = new Host({ ssh: () => this.ssh(target), stateDirectory })
    this.#hosts.set(target.name, host)
    return host
  }

  async ssh(target: Target): Promise<SshConnection> {
    const known = await this.#connections.get(target.name)?.catch(() => undefined)
    if (known && !known.closed) return known
    const opening = SshConnection.open(sshOptions(target))
    this.#connections.set(target.name, opening)
    return await opening
  }

  async close(): Promise<void> {
    const open = [...this.#connections.values()].map((it) => it.then((ssh) => ssh.close()).catch(() => undefined))
    await Promise.all(open)
  }
}

function sshOptions({ ssh }: Target): Parameters<typeof SshConnection.open>[0] {
  const agentSocket = process.env['SSH_AUTH_SOCK']
  const passphrase = ssh.passphrase && process.env[ssh.passphrase.env]
  return {
    host: ssh.host,
    port: ssh.port,
    user: ssh.user,
    knownHostsFiles: ssh.knownHosts,
    ...(ssh.identityFile ? { identityFile: ssh.identityFile } : agentSocket ? { agentSocket } : {}),
    ...(passphrase ? { passphrase } : {}),
  }
}
