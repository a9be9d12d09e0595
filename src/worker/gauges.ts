// What stands still between runs, and has to be looked at to be known: restore points, guards, and who is waited for.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { MetricMeter } from '@temporalio/common'
import type { Deps } from '../activities/deps.js'
import { Look } from '../activities/observe/look.js'
import { readShelfNow } from '../activities/observe/shelf-now.js'
import type { Logger } from '../adapters/logger.js'
import { guardName } from '../client/naming.js'
import { type OpenRun, openRuns } from '../client/open-runs.js'
import { durationMs } from '../plan/duration.js'
import type { GuardView } from '../plan/guard.js'
import type { Progress } from '../plan/progress.js'
import { runMetrics } from '../plan/run-metrics.js'
import type { Shelf } from '../plan/shelf.js'

/** How they are called, and what they say; each has the label `target`. */
export const gauges = {
  stepback_restore_points: 'restore points, by their state now',
  stepback_restore_point_timestamp_seconds: 'when the newest restore point of a state was taken; 0 where there is none',
  stepback_guard_verdict: 'the verdict of the guard is 1, every other one 0; none: no guard watches',
  stepback_gates_open: 'runs that wait for a person',
  stepback_looked_timestamp_seconds: 'when restore points were last read: from then on the others are old news',
} as const

const states = ['taken', 'proven', 'warm', 'kept', 'broken', 'unreadable'] as const
const outcomes = ['done', 'undone', 'not-undone', 'refused', 'rejected', 'cancelled', 'fenced'] as const
const verdicts = ['healthy', 'degraded', 'inconclusive', 'none'] as const

interface Watched {
  readonly deps: Deps
  readonly client: Client
  readonly meter: MetricMeter
  readonly logger: Logger
}

/** Returns when it is told to stop. */
export async function keepGauges({ stop, ...watched }: Watched & { readonly stop: AbortSignal }): Promise<void> {
  const { targets, metrics } = watched.deps.config
  const set = gaugesOf(watched.meter)
  beginAtZero(watched)
  const look = orOldNews(watched.logger)
  while (!stop.aborted) {
    await Promise.all([
      look('open gates', () => seeGates(watched, set)),
      ...Object.keys(targets).flatMap((target) => [
        look(`restore points of ${target}`, () => seeShelf(watched, set, target)),
        look(`guard of ${target}`, () => seeGuard(watched, set, target)),
      ]),
    ])
    await sleep(durationMs(metrics.every), undefined, { signal: stop }).catch(() => undefined)
  }
}

/** A counter that begins with its first run has not grown by one, as Prometheus sees it. */
function beginAtZero({ deps, client, meter }: Watched): void {
  const counter = meter.createCounter('stepback_runs', '', runMetrics.stepback_runs.does)
  const { targets, temporal } = deps.config
  const where = { namespace: client.options.namespace, taskQueue: temporal.taskQueue }
  for (const target of Object.keys(targets))
    for (const kind of ['deploy', 'rollback', 'backup', 'emergency'])
      for (const outcome of outcomes)
        counter.add(0, { target, kind, outcome, ...where, workflowType: `${kind}Workflow` })
}

type Gauges = Readonly<Record<keyof typeof gauges, (value: number, tags: Readonly<Record<string, string>>) => void>>

function gaugesOf(meter: MetricMeter): Gauges {
  const made = Object.entries(gauges).map(([name, does]) => {
    const gauge = meter.createGauge(name, 'float', '', does)
    return [name, (value: number, tags: Record<string, string>) => gauge.set(value, tags)]
  })
  return Object.fromEntries(made) as Gauges
}

/** What cannot be seen now may be with the next look; why is logged once. */
function orOldNews(logger: Logger) {
  const said = new Map<string, string>()
  return async (what: string, look: () => Promise<void>): Promise<void> => {
    try {
      await look()
      said.delete(what)
    } catch (error) {
      const why = (error as Error).message
      if (said.get(what) !== why) logger.warn({ what, why }, 'metrics are old news')
      said.set(what, why)
    }
  }
}

async function seeShelf({ deps }: Watched, set: Gauges, target: string): Promise<void> {
  const shelf = await readShelfNow(await Look.at(deps, target))
  for (const { state, count, newest } of countShelf(shelf)) {
    set.stepback_restore_points(count, { target, state })
    set.stepback_restore_point_timestamp_seconds(newest, { target, state })
  }
  set.stepback_looked_timestamp_seconds(Date.now() / 1_000, { target })
}

/** Every state, those without a restore point, too: a series that once was there cannot be taken away. */
export function countShelf({ manifests, unreadable = [] }: Shelf) {
  return states.map((state) => {
    const own = manifests.filter((it) => it.state === state).map((it) => Date.parse(it.createdAt) / 1_000)
    const count = state === 'unreadable' ? unreadable.length : own.length
    return { state, count, newest: Math.max(0, ...own) }
  })
}

async function seeGates({ deps, client }: Watched, set: Gauges): Promise<void> {
  const { temporal, targets } = deps.config
  const progressOf = (run: string) => client.workflow.getHandle(run).query<Progress>('progress')
  const open = await openRuns(client, temporal.taskQueue, progressOf)
  for (const target of Object.keys(targets))
    for (const asks of ['approve', 'resolve'] as const)
      set.stepback_gates_open(countGates(open, target, asks), { target, asks })
}

function countGates(open: readonly OpenRun[], target: string, asks: string): number {
  return open.filter(({ progress }) => progress?.target === target && progress.gate?.asks === asks).length
}

async function seeGuard({ client }: Watched, set: Gauges, target: string): Promise<void> {
  const now = await verdictOf(client, target)
  for (const verdict of verdicts) set.stepback_guard_verdict(verdict === now ? 1 : 0, { target, verdict })
}

async function verdictOf(client: Client, target: string): Promise<(typeof verdicts)[number]> {
  const guard = client.workflow.getHandle(guardName(target))
  try {
    if ((await guard.describe()).status.name !== 'RUNNING') return 'none'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'none'
    throw error
  }
  return (await guard.query<GuardView>('guard')).verdict
}
