// How a connection is made, and what it means when it is not.
import { readFileSync } from 'node:fs'
import type { ConnectConfig } from 'ssh2'
import { StepbackError } from '../../plan/failure.js'
import type { HostKeyCheck } from '../known-hosts.js'

export interface SshOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly identityFile?: string
  readonly passphrase?: string
  readonly agentSocket?: string
  readonly knownHostsFiles: readonly string[]
}

/** A link that went silent is seen after interval x (count + 1): 10 s at the most, half of a heartbeat timeout. */
const keepalive = { keepaliveInterval: 2_500, keepaliveCountMax: 3 }
const readyTimeoutMs = 20_000

export function connectConfig(options: SshOptions): ConnectConfig {
  return {
    host: options.host,
    port: options.port,
    username: options.user,
    readyTimeout: readyTimeoutMs,
    ...keepalive,
    ...(options.identityFile ? { privateKey: readIdentity(options) } : {}),
    ...(options.passphrase ? { passphrase: options.passphrase } : {}),
    ...(options.agentSocket ? { agent: options.agentSocket } : {}),
  }
}

function readIdentity(options: SshOptions): Buffer {
  return readFileSync(options.identityFile as string)
}

export function identityFailure(options: SshOptions, cause: unknown): StepbackError {
  return new StepbackError({
    type: 'InvalidConfiguration',
    message: `the key '${options.identityFile ?? ''}' for '${where(options)}' cannot be used: ${reason(cause)}`,
    hint: 'check that the file is readable and that the passphrase is the right one, or use an agent',
    cause,
  })
}

export function connectFailure(input: {
  options: SshOptions
  check: HostKeyCheck
  cause?: Error | undefined
}): StepbackError {
  const { options, check, cause } = input
  const level = (cause as { level?: string } | undefined)?.level
  // No host key was accepted: trying again cannot help, and going on without one would be talking to anybody.
  if (level === 'handshake') return check.refusal(cause)
  return new StepbackError({
    type: 'Unreachable',
    message: `cannot connect to '${where(options)}' (${level ?? 'connection'}): ${reason(cause)}`,
    hint:
      level === 'client-authentication' || level === 'agent'
        ? `does 'ssh -p ${options.port} ${options.user}@${options.host} true' log in with the same key?`
        : `does 'ssh -p ${options.port} ${options.user}@${options.host} true' get through from this machine?`,
    cause,
  })
}

export function where(options: SshOptions): string {
  return `${options.user}@${options.host}:${options.port}`
}

export function reason(cause: unknown): string {
  return cause instanceof Error && cause.message ? cause.message : 'connection closed'
}
