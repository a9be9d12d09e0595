// `kill -9` of the worker inside the activities of a run, once in each, and what says that it really was inside.

import { existsSync, readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { stateDirectory } from './leftovers.js'
import type { Operator } from './operator.js'

interface Pending {
  readonly id: string
  readonly name: string
  /** Whether a worker has begun it, and for the first time. */
  readonly first: boolean
}

/** An activity that is not hit yet. */
interface Entered extends Pending {
  readonly since: number
  /** What was on the host before it began. */
  readonly before: Readonly<Record<string, number>>
}

/**
 * Kills the worker inside every activity of the run, each once, in its first attempt, and starts it again, until the
 * run ends. Returns the activities in the order in which they were hit.
 *
 * The worker stands still while one looks: what is seen to be under way still is when the worker is killed. Only while
 * nothing but what was hit is done again, and none can begin behind it, one looks without that.
 */
export async function killInsideEveryStep(operator: Operator, run: string): Promise<string[]> {
  const connection = await Connection.connect({ address: operator.sandbox.temporal.address })
  const hit: Pending[] = []
  let entered: readonly Entered[] = []
  let earlier = marks(operator)
  let again = false
  const calm = hurry()
  try {
    for (;;) {
      if (!again) operator.killWorker('SIGSTOP')
      const { running, pending } = await look(connection, operator, run)
      const now = marks(operator)
      const isHit = ({ id }: Pending) => hit.some((it) => it.id === id)
      const inside = pending.filter((it) => it.first && !isHit(it))
      entered = inside.map((it) => {
        return entered.find(({ id }) => id === it.id) ?? { ...it, since: Date.now(), before: earlier }
      })
      if (entered.some((it) => hit.some(({ name }) => name === it.name) || isWorst(it, now))) {
        operator.replaceWorker()
        // Of two that go on beside each other, both: the other one may be over before its own worst moment.
        hit.push(...inside.toSorted((a, b) => Number(a.id) - Number(b.id)))
      } else if (!again) operator.killWorker('SIGCONT')
      if (!running) return hit.map(({ name }) => name)
      again = pending.length > 0 && pending.every(isHit)
      earlier = now
      // No act is over so soon; looking more often would leave the worker no time to work.
      await sleep(15)
    }
  } finally {
    calm()
    await connection.close()
  }
}

/** Who looks has to be quicker than who works: on a busy machine a short act would be over before one looks again. */
function hurry(): () => void {
  try {
    setPriority(-20)
    return () => setPriority(0)
  } catch {
    return () => undefined // only root may
  }
}

/** A keeper of the lease at a gate is no step. */
async function look(
  connection: Connection,
  operator: Operator,
  run: string,
): Promise<{ readonly running: boolean; readonly pending: readonly Pending[] }> {
  const { namespace } = operator.sandbox.temporal
  const seen = await connection.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: run } })
  return {
    running: seen.workflowExecutionInfo?.status === 1,
    pending: (seen.pendingActivities ?? []).map((it) => ({
      id: it.activityId!,
      name: it.activityType!.name!,
      first: it.state === 2 && it.attempt === 1,
    })),
  }
}

/**
 * The moment in which a death is worst: a job under way, the database closed, the lease just taken. An activity without
 * such a moment is killed as soon as the ledger says that it began, or one has waited for long enough.
 */
function isWorst({ name, since, before }: Entered, now: Entered['before']): boolean {
  if (atOnce.includes(name) || Date.now() - since > 1_500) return true
  const mark = markOf(name)
  return now[mark] !== before[mark]
}

/** Without a trace on the host. */
const atOnce = ['plan', 'observeEnd', 'recordPlan', 'checkVersion']

function markOf(name: string): string {
  if (name === 'acquireLease') return 'leases'
  if (name === 'swapDatabase' || name === 'swapDatabaseBack') return 'timers'
  return name === 'finishRun' || looks.includes(name) ? 'entries' : 'jobs'
}

/** Acts without a job or anything else of their own. */
const looks = ['checkHealth', 'watchHealth', 'migrateUp', 'migrateDown']

function marks(operator: Operator): Entered['before'] {
  const state = stateDirectory(operator)
  const jobs = names(join(state, 'jobs'))
  return {
    leases: names(join(state, 'lease')).filter((it) => it.startsWith('t.')).length,
    timers: names(join(state, 'timers')).length,
    entries: names(join(state, 'ledger')).filter((it) => it.endsWith('.json')).length,
    jobs: jobs.filter((job) => existsSync(join(state, 'jobs', job, 'claim.1'))).length,
  }
}

function names(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}
