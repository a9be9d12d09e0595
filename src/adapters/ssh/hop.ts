/** One machine on the way. */
export interface HopOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  /** How people call it, where that is not its address. */
  readonly alias?: string
  /** The one key to use; without it, those of `identityFiles` that are there, and then the agent's. */
  readonly identityFile?: string
  readonly identityFiles?: readonly string[]
  /** Whether the agent may be asked for no other keys than these. */
  readonly identitiesOnly?: boolean
  /** The variable of the environment that holds the passphrase of the keys. */
  readonly passphrase?: { readonly env: string }
  readonly agentSocket?: string
  /** The name under which the host's key is known, in place of its address. */
  readonly hostKeyAlias?: string
  readonly knownHostsFiles: readonly string[]
  /** The target's name, for hints. */
  readonly target?: string
}

export interface SshOptions extends HopOptions {
  /** The hops before it, the first one first. */
  readonly via?: readonly HopOptions[]
}

/** For messages: the address, after the name by which people call it. */
export function where({ alias, host, port, user }: HopOptions): string {
  const address = `${user}@${host.includes(':') ? `[${host}]` : host}:${port}`
  return alias && alias !== host ? `${alias} (${address})` : address
}

export function reason(cause: unknown): string {
  return cause instanceof Error && cause.message ? cause.message : 'connection closed'
}
