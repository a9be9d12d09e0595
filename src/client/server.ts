// What a Temporal server says of itself, for whoever sets it up.

import { type Connection, isGrpcServiceError } from '@temporalio/client'
import { missingSearchAttributes } from '../worker/search-attributes.js'

export interface ServerFacts {
  readonly version: string
  /** How long closed runs are kept; null where there is no such namespace. */
  readonly retentionMs: number | null
  /** Search attributes that are missing, or of another type; null where the server does not say. */
  readonly missing: readonly string[] | null
}

const notFound = 5

export async function serverFacts(connection: Connection, namespace: string): Promise<ServerFacts> {
  const [{ serverVersion }, retentionMs] = await Promise.all([
    connection.workflowService.getSystemInfo({}),
    readRetention(connection, namespace),
  ])
  const missing = retentionMs === null ? null : await readMissing(connection, namespace)
  return { version: serverVersion ?? 'unknown', retentionMs, missing }
}

async function readRetention({ workflowService }: Connection, namespace: string): Promise<number | null> {
  try {
    const { config } = await workflowService.describeNamespace({ namespace })
    return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === notFound) return null
    throw error
  }
}

/** Temporal Cloud keeps its operators' service to itself. */
async function readMissing({ operatorService }: Connection, namespace: string): Promise<readonly string[] | null> {
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace })
    return missingSearchAttributes(customAttributes ?? {})
  } catch {
    return null
  }
}
