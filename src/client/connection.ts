import { Connection, type ConnectionOptions } from '@temporalio/client'
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig'
import { StepbackError } from '../plan/failure.js'

/** Where Temporal is. What is left out comes from the Temporal profile or `TEMPORAL_*`, then from the defaults. */
export interface ConnectTo {
  /** Of the profile file at TEMPORAL_CONFIG_FILE. */
  readonly profile?: string | undefined
  readonly address?: string | undefined
  readonly namespace?: string | undefined
  readonly taskQueue?: string | undefined
  /** How long the server, and a worker behind it, may take for one answer; default 8000. */
  readonly answersWithinMs?: number | undefined
}

export interface Address {
  readonly address: string
  readonly namespace: string
  /** What else it goes by, for people: `profile prod, TLS, API key`. */
  readonly means: readonly string[]
  readonly connection: ClientConnectConfig['connectionOptions']
  readonly answersWithinMs: number
}

/** The same rules for clients and workers, so that they never meet at different servers. */
export function resolveAddress(to: ConnectTo): Address {
  const { connectionOptions, namespace } = loadProfile(to.profile)
  const address = to.address ?? connectionOptions.address ?? '127.0.0.1:7233'
  return {
    address,
    namespace: to.namespace ?? namespace ?? 'default',
    means: meansOf(to.profile ?? process.env['TEMPORAL_PROFILE'], connectionOptions),
    connection: { ...connectionOptions, address },
    // A worker that is up answers in far less; behind it an answer goes by signal, and progress is unknown.
    answersWithinMs: to.answersWithinMs ?? 8_000,
  }
}

/** `Unreachable` where nothing answers in time. */
export async function openConnection({ address, connection, answersWithinMs }: Address): Promise<Connection> {
  try {
    return await Connection.connect({ ...(connection as ConnectionOptions), connectTimeout: answersWithinMs })
  } catch (cause) {
    throw unreachable(address, cause)
  }
}

export function unreachable(address: string, cause: unknown): StepbackError {
  return new StepbackError({
    type: 'Unreachable',
    message: `Temporal at "${address}" does not answer: ${messageOf(cause)}`,
    hint: 'is the server up, and are its address, TLS and API key those of the configuration, profile or TEMPORAL_* variables?',
    cause,
  })
}

function meansOf(profile: string | undefined, { tls, apiKey }: ClientConnectConfig['connectionOptions']): string[] {
  return [...(profile ? [`profile ${profile}`] : []), ...(tls ? ['TLS'] : []), ...(apiKey ? ['API key'] : [])]
}

function loadProfile(profile: string | undefined): ClientConnectConfig {
  try {
    return loadClientConnectConfig(profile === undefined ? {} : { profile })
  } catch (cause) {
    throw new StepbackError({
      type: 'InvalidConfiguration',
      message: `the Temporal profile cannot be read: ${messageOf(cause)}`,
      hint: 'mend the file at TEMPORAL_CONFIG_FILE, or the TEMPORAL_* variables.',
      cause,
    })
  }
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? ''
}
