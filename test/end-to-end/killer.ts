// `kill -9` of the worker inside the activities of a run, once in each, and what says that it really was inside.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { ledgerEntries, stateDirectory } from './leftovers.js'
import type { Operator } from './operator.js'

interface Pending {
  readonly id: string
  readonly name: string
}

/**
 * Kills the worker inside every activity of the run, each once, in its first attempt, and starts it again, until the
 * run ends. Returns the activities in the order in which they were hit.
 */
export async function killInsideEveryStep(operator: Operator, run: string): Promise<string[]> {
  const connection = await Connection.connect({ address: operator.sandbox.temporal.address })
  const hit: Pending[] = []
  try {
    for (;;) {
      const { running, pending } = await look(connection, operator, run)
      if (!running) return hit.map(({ name }) => name)
      const next = pending.find(({ id }) => !hit.some((it) => it.id === id))
      if (next) {
        const again = hit.some(({ name }) => name === next.name)
        if (!again) await deepInside(operator, next.name, () => isPending(connection, operator, run, next.id))
        operator.replaceWorker()
        hit.push(next)
      }
      await sleep(2)
    }
  } finally {
    await connection.close()
  }
}

/** Activities that a worker has begun for the first time; a keeper of the lease at a gate is no step. */
async function look(
  connection: Connection,
  operator: Operator,
  run: string,
): Promise<{ readonly running: boolean; readonly pending: readonly Pending[] }> {
  const { namespace } = operator.sandbox.temporal
  const seen = await connection.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: run } })
  const begun = (seen.pendingActivities ?? []).filter((it) => it.state === 2 && it.attempt === 1)
  return {
    running: seen.workflowExecutionInfo?.status === 1,
    pending: begun.map((it) => ({ id: it.activityId!, name: it.activityType!.name! })),
  }
}

async function isPending(connection: Connection, operator: Operator, run: string, id: string): Promise<boolean> {
  return (await look(connection, operator, run)).pending.some((it) => it.id === id)
}

/**
 * Waits, while the activity lives, for the moment in which a death is worst: a job under way, the database closed, the
 * lease just taken. An activity without such a moment is killed as soon as the ledger says that it began; one that a run
 * does a second time, with less to do, at once.
 */
async function deepInside(operator: Operator, name: string, lives: () => Promise<boolean>): Promise<void> {
  const state = stateDirectory(operator)
  const count = () => marks(state, name)
  const before = count()
  const deadline = Date.now() + (atOnce.includes(name) ? 0 : 1_500)
  while (Date.now() < deadline && count() === before && (await lives())) await sleep(1)
}

/** Without a trace on the host. */
const atOnce = ['plan', 'observeEnd', 'recordPlan', 'checkVersion']

function marks(state: string, name: string): number {
  if (name === 'acquireLease') return names(join(state, 'lease')).filter((it) => it.startsWith('t.')).length
  if (name === 'swapDatabase' || name === 'swapDatabaseBack') return names(join(state, 'timers')).length
  if (name === 'finishRun' || looks.includes(name)) return ledgerEntries(state).length
  return names(join(state, 'jobs')).filter((job) => existsSync(join(state, 'jobs', job, 'claim.1'))).length
}

/** Acts without a job or anything else of their own. */
const looks = ['checkHealth', 'watchHealth', 'migrateUp', 'migrateDown']

function names(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
