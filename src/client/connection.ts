import { Connection, type ConnectionOptions } from '@temporalio/client'
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig'
import { StepbackError } from '../plan/failure.js'

/** Where Temporal is. What is left out comes from the Temporal profile or `TEMPORAL_*`, then from the defaults. */
export interface ConnectTo {
  readonly address?: string | undefined
  readonly namespace?: string | undefined
  readonly taskQueue?: string | undefined
  /** How long the server, and a worker behind it, may take for one answer; default 8000. */
  readonly answersWithinMs?: number | undefined
}

export interface Address {
  readonly address: string
  readonly namespace: string
  readonly connection: ClientConnectConfig['connectionOptions']
  readonly answersWithinMs: number
}

/** The same rules for clients and workers, so that they never meet at different servers. */
export function resolveAddress(to: ConnectTo): Address {
  const { connectionOptions, namespace } = loadProfile()
  const address = to.address ?? connectionOptions.address ?? '127.0.0.1:7233'
  return {
    address,
    namespace: to.namespace ?? namespace ?? 'default',
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
    hint: 'is the server up? its address is temporal.address in the configuration, or TEMPORAL_ADDRESS.',
    cause,
  })
}

function loadProfile(): ClientConnectConfig {
  try {
    return loadClientConnectConfig()
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
