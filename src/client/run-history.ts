// A run as its history tells it: what was asked and planned, every activity with its times, how it ended, and the heads
// of the audit record that it saw. No worker is needed, and an exported history serves as well as the server's.

import type { WorkflowHandle } from '@temporalio/client'
import type { LoadedDataConverter } from '@temporalio/common'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import type { Anchor } from '../plan/anchors.js'
import type { Plan } from '../plan/plan.js'
import type { HealthReport, RunResult } from '../plan/progress.js'

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>
type HistoryEvent = NonNullable<History['events']>[number]
type Payloads = NonNullable<NonNullable<HistoryEvent['activityTaskCompletedEventAttributes']>['result']>

/** One activity, all its attempts. */
export interface Work {
  readonly name: string
  readonly title: string
  readonly startedAt: string
  /** When its last attempt began: what lies before went into the others. */
  readonly lastAttemptAt: string | null
  readonly endedAt: string | null
  readonly attempts: number
  readonly outcome: 'done' | 'failed' | 'cancelled' | null
  /** Why it failed, or why its last attempt but one did. */
  readonly failure: string | null
}

export interface RunHistory {
  readonly run: string
  readonly runId: string
  /** `deployWorkflow` and so on. */
  readonly type: string
  readonly request: unknown
  readonly target: string | null
  readonly startedAt: string
  readonly closedAt: string | null
  /** The newest plan that it was given. */
  readonly plan: Plan | undefined
  /** What the checks said when it was planned first. */
  readonly before: readonly HealthReport[] | undefined
  readonly work: readonly Work[]
  readonly result: RunResult | undefined
  /** How the server says that it closed; null while it is open. */
  readonly closedAs: string | null
  readonly message: string | null
  readonly anchors: readonly Anchor[]
}

export async function readHistory(
  { run, runId, history }: { readonly run: string; readonly runId: string; readonly history: History },
  converter: LoadedDataConverter,
): Promise<RunHistory> {
  const events = history.events ?? []
  const decode = decoding(converter)
  const first = events[0]?.workflowExecutionStartedEventAttributes
  const request = await decode(first?.input)
  const { target } = (request ?? {}) as { readonly target?: unknown }
  const closing = closingOf(events)
  const work = await Promise.all(activitiesOf(events).map((it) => workOf(it, decode)))
  const results = await resultsOf(activitiesOf(events), decode)
  const planned = plansAmong(results)
  const ended = closing ? await decode(closing.payloads) : undefined
  return {
    run,
    runId,
    type: first?.workflowType?.name ?? '',
    request,
    target: typeof target === 'string' ? target : null,
    startedAt: timeOf(events[0]),
    closedAt: closing ? timeOf(closing.event) : null,
    plan: planned.at(-1)?.plan,
    before: planned.find(({ health }) => health)?.health,
    work,
    result: isResult(ended) ? ended : undefined,
    closedAs: closing?.as ?? null,
    message: closing?.message ?? null,
    anchors: [...results.map(({ value }) => value), isResult(ended) ? ended.audit : undefined].flatMap((value) =>
      isHead(value) ? [{ number: value.number, sha256: value.sha256, run }] : [],
    ),
  }
}

/** The newest plan that a run was given, and nothing else of its history; nothing where none was made. */
export async function recordedPlan({ events }: History, converter: LoadedDataConverter): Promise<Plan | undefined> {
  const plans = activitiesOf(events ?? []).filter(({ name }) => name === 'plan')
  return plansAmong(await resultsOf(plans, decoding(converter))).at(-1)?.plan
}

type Decode = (payloads: Payloads | null | undefined) => Promise<unknown>

function decoding(converter: LoadedDataConverter): Decode {
  return async (payloads) =>
    payloads?.payloads?.length ? await decodeFromPayloadsAtIndex<unknown>(converter, 0, payloads.payloads) : undefined
}

interface Returned {
  readonly name: string
  readonly value: unknown
}

async function resultsOf(activities: readonly Activity[], decode: Decode): Promise<Returned[]> {
  return await Promise.all(
    activities.map(async ({ name, completed }) => ({
      name,
      value: await decode(completed?.activityTaskCompletedEventAttributes?.result),
    })),
  )
}

/** What answered that the plan stands has none. */
function plansAmong(results: readonly Returned[]): Planned[] {
  return results.flatMap(({ name, value }) =>
    name === 'plan' && (value as Partial<Planned> | undefined)?.plan ? [value as Planned] : [],
  )
}

/** What the activity `plan` returns, as far as it is told. */
interface Planned {
  readonly plan: Plan
  readonly health?: readonly HealthReport[]
}

interface Activity {
  readonly name: string
  readonly scheduled: HistoryEvent
  readonly started: HistoryEvent | undefined
  readonly completed: HistoryEvent | undefined
  readonly ended: HistoryEvent | undefined
}

function activitiesOf(events: readonly HistoryEvent[]): Activity[] {
  const starts = new Map<string, HistoryEvent>()
  const ends = new Map<string, HistoryEvent>()
  for (const event of events) {
    const started = event.activityTaskStartedEventAttributes
    if (started) starts.set(String(started.scheduledEventId), event)
    const ended =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes
    if (ended) ends.set(String(ended.scheduledEventId), event)
  }
  return events.flatMap((scheduled) => {
    const name = scheduled.activityTaskScheduledEventAttributes?.activityType?.name
    if (!name) return []
    const ended = ends.get(String(scheduled.eventId))
    const completed = ended?.activityTaskCompletedEventAttributes ? ended : undefined
    return [{ name, scheduled, started: starts.get(String(scheduled.eventId)), completed, ended }]
  })
}

async function workOf(
  { name, scheduled, started, completed, ended }: Activity,
  decode: (payloads: Payloads) => Promise<unknown>,
): Promise<Work> {
  const summary = scheduled.userMetadata?.summary
  const title = summary ? await decode({ payloads: [summary] }) : undefined
  const failed = ended?.activityTaskFailedEventAttributes ?? ended?.activityTaskTimedOutEventAttributes
  const last = started?.activityTaskStartedEventAttributes
  return {
    name,
    title: typeof title === 'string' ? title : name,
    startedAt: timeOf(scheduled),
    lastAttemptAt: started ? timeOf(started) : null,
    endedAt: ended ? timeOf(ended) : null,
    attempts: last?.attempt ?? 1,
    outcome: completed ? 'done' : failed ? 'failed' : ended ? 'cancelled' : null,
    failure: (failed?.failure?.cause ?? failed?.failure ?? last?.lastFailure)?.message ?? null,
  }
}

interface Closing {
  readonly event: HistoryEvent
  readonly as: string
  readonly payloads: Payloads | null | undefined
  readonly message: string | null
}

function closingOf(events: readonly HistoryEvent[]): Closing | undefined {
  const event = events.at(-1)
  if (!event) return undefined
  const done = event.workflowExecutionCompletedEventAttributes
  if (done) return { event, as: 'Completed', payloads: done.result, message: null }
  const failed = event.workflowExecutionFailedEventAttributes?.failure
  if (failed) {
    const type = failed.applicationFailureInfo?.type ?? 'Failed'
    return { event, as: type, payloads: failed.applicationFailureInfo?.details, message: failed.message ?? null }
  }
  if (event.workflowExecutionCanceledEventAttributes) return { event, as: 'Cancelled', payloads: null, message: null }
  if (event.workflowExecutionTimedOutEventAttributes) return { event, as: 'TimedOut', payloads: null, message: null }
  if (event.workflowExecutionContinuedAsNewEventAttributes)
    return { event, as: 'ContinuedAsNew', payloads: null, message: null }
  const terminated = event.workflowExecutionTerminatedEventAttributes
  return terminated ? { event, as: 'Terminated', payloads: null, message: terminated.reason ?? null } : undefined
}

function timeOf(event: HistoryEvent | undefined): string {
  const { seconds = 0, nanos = 0 } = event?.eventTime ?? {}
  return new Date(Number(seconds) * 1_000 + (nanos ?? 0) / 1e6).toISOString()
}

function isResult(value: unknown): value is RunResult {
  return typeof value === 'object' && value !== null && 'phase' in value && 'steps' in value
}

function isHead(value: unknown): value is { number: number; sha256: string } {
  const head = value as { number?: unknown; sha256?: unknown } | null | undefined
  return typeof head?.number === 'number' && typeof head.sha256 === 'string'
}
