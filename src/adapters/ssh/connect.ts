// How one connection is made, and what it means when it is not.
import type { Duplex } from 'node:stream'
import { Client } from 'ssh2'
import { StepbackError } from '../../plan/failure.js'
import { hostKeyCheck } from '../known-hosts.js'
import type { HostKeyCheck } from '../known-hosts.js'
import { authentication } from './identities.js'
import type { Authentication } from './identities.js'
import { reason, where } from './hop.js'
import type { HopOptions } from './hop.js'

/** A link that went silent is seen after interval x (count + 1): 10 s at the most, half of a heartbeat timeout. */
const keepalive = { keepaliveInterval: 2_500, keepaliveCountMax: 3 }
const readyTimeoutMs = 20_000

/** Connects and logs in, through `sock` where there is a hop before it. */
export async function connect(options: HopOptions, sock?: Duplex): Promise<Client> {
  const { host, port, knownHostsFiles: files, hostKeyAlias, target } = options
  // As OpenSSH has it, an alias stands for host and port.
  const name = hostKeyAlias ? { host: hostKeyAlias, port: 22 } : { host, port }
  const check = hostKeyCheck({ ...name, files, target })
  const auth = authentication(options)
  const client = new Client()
  const ready = new Promise<Client>((resolve, reject) => {
    // Settled once: after a failed authentication ssh2 emits `error` twice, and `close` follows every error.
    const fail = (cause?: Error) => reject(connectFailure({ options, check, auth, cause }))
    client.once('ready', () => {
      client.off('error', fail)
      client.setNoDelay(true) // without it every exec waits about 40 ms for a delayed acknowledgement
      resolve(client)
    })
    client.on('error', fail)
    client.once('close', () => fail())
  })
  client.connect({
    host,
    port,
    username: options.user,
    readyTimeout: readyTimeoutMs,
    ...keepalive,
    ...(sock ? { sock } : {}),
    ...check.algorithms,
    hostVerifier: check.verify,
    authHandler: [...auth.methods],
  })
  return await ready
}

function connectFailure(input: {
  options: HopOptions
  check: HostKeyCheck
  auth: Authentication
  cause?: Error | undefined
}): StepbackError {
  const { options, check, auth, cause } = input
  const level = (cause as { level?: string } | undefined)?.level
  // No host key was accepted: trying again cannot help, and going on without one would be talking to anybody.
  if (level === 'handshake') return check.refusal(cause)
  const isLogin = level === 'client-authentication' || level === 'agent'
  const leftOut = isLogin && auth.leftOut.length > 0 ? `; left out: ${auth.leftOut.join('; ')}` : ''
  return new StepbackError({
    type: 'Unreachable',
    message: `cannot connect to '${where(options)}' (${level ?? 'connection'}): ${reason(cause)}${leftOut}`,
    hint: `does '${sshCommand(options)}' ${isLogin ? 'log in with the same key' : 'get through from this machine'}?`,
    cause,
  })
}

function sshCommand({ alias, host, port, user }: HopOptions): string {
  return alias && alias !== host ? `ssh ${alias} true` : `ssh -p ${port} ${user}@${host} true`
}
