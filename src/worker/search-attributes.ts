// Search attributes let people find runs by target, phase, version and restore point; nothing depends on them.

import { setTimeout as sleep } from 'node:timers/promises'
import type { NativeConnection } from '@temporalio/worker'
import type { Logger } from '../adapters/logger.js'

export const searchAttributes = ['StepbackTarget', 'StepbackPhase', 'StepbackVersion', 'StepbackRestorePoint'] as const

/** `INDEXED_VALUE_TYPE_KEYWORD` */
const keyword = 2
/** The server's own view of its attributes may be a few seconds old. */
const visibleWithinMs = 10_000

/**
 * Makes what is missing where that is allowed, and says whether all of them can be used: an upsert of one that the
 * server does not know would fail a run's task again and again.
 */
export async function ensureSearchAttributes(input: {
  readonly connection: Pick<NativeConnection, 'operatorService'>
  readonly namespace: string
  readonly logger: Pick<Logger, 'warn' | 'info'>
}): Promise<boolean> {
  const { connection, namespace, logger } = input
  try {
    const missing = await listMissing(connection, namespace)
    if (missing.length === 0) return true
    const made = Object.fromEntries(missing.map((name) => [name, keyword]))
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: made })
    await untilVisible(connection, namespace)
    logger.info({ made: missing }, 'search attributes made')
    return true
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]
    logger.warn({ why }, 'search attributes cannot be made or used; runs work without them')
    return false
  }
}

async function listMissing(
  connection: Pick<NativeConnection, 'operatorService'>,
  namespace: string,
): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const known = customAttributes ?? {}
  const missing = missingSearchAttributes(known)
  const other = missing.find((name) => known[name] !== undefined)
  if (other) throw new Error(`search attribute "${other}" is there, but is no Keyword`)
  return missing
}

/** Those that are not there as a Keyword. */
export function missingSearchAttributes(known: Readonly<Record<string, number>>): string[] {
  return searchAttributes.filter((name) => known[name] !== keyword)
}

async function untilVisible(connection: Pick<NativeConnection, 'operatorService'>, namespace: string): Promise<void> {
  const deadline = Date.now() + visibleWithinMs
  while ((await listMissing(connection, namespace)).length > 0) {
    if (Date.now() > deadline) throw new Error('search attributes were made, but the server does not list them')
    await sleep(200)
  }
}
