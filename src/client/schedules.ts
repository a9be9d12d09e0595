// Schedules of Temporal's own: what is there, and what makes them as the configuration says.

import {
  type Client,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client'
import type { Calendar, Range } from '../plan/cron.js'
import { type Schedule, type Scheduled, type Change, changesBetween, scheduleIdsOf } from '../plan/schedules.js'
import { summaryOf } from './naming.js'

/** What differs between the schedules of these targets and `wanted`; with `apply` they are made so. */
export async function alignSchedules(
  client: Client,
  input: { readonly targets: readonly string[]; readonly wanted: readonly Schedule[]; readonly apply: boolean },
): Promise<Change[]> {
  const { targets, wanted, apply } = input
  const changes = changesBetween(await found(client, targets), wanted)
  if (!apply) return changes
  for (const { does, id } of changes) {
    const schedule = wanted.find((it) => it.id === id)
    const handle = client.schedule.getHandle(id)
    if (does === 'create') await client.schedule.create(optionsOf(schedule!))
    // Whether it is paused is the operator's to say.
    else if (does === 'update') await handle.update(({ state }) => ({ ...optionsOf(schedule!), state }))
    else await handle.delete()
  }
  return changes
}

/** By name: the server's list of them comes a moment behind. */
async function found(client: Client, targets: readonly string[]): Promise<Schedule[]> {
  const asked = targets.flatMap(scheduleIdsOf).map(async (id) => {
    try {
      return [scheduleIn(await client.schedule.getHandle(id).describe())]
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return []
      throw error
    }
  })
  return (await Promise.all(asked)).flat()
}

function optionsOf({
  id,
  target,
  what,
  ...it
}: Schedule): ScheduleOptions & { readonly action: { type: 'startWorkflow' } } {
  const request = { target, what, reason: 'on schedule', requestedBy: 'schedule' }
  return {
    scheduleId: id,
    spec: { calendars: [calendarSpec(it.calendar)], timezone: it.timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: 'backupWorkflow',
      // Temporal appends the time.
      workflowId: `backup-${target}-${what}`,
      taskQueue: it.taskQueue,
      args: [request],
      staticSummary: summaryOf({ kind: 'backup', target, reason: `${what}, on schedule` }),
    },
    policies: { overlap: ScheduleOverlapPolicy[it.overlap], catchupWindow: it.catchUpMs },
  }
}

const months = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(' ')
const days = 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY'.split(' ')

type CalendarSpec = NonNullable<ScheduleOptions['spec']['calendars']>[number]
type Described = NonNullable<ScheduleDescription['spec']['calendars']>[number]

function calendarSpec(calendar: Calendar): CalendarSpec {
  const named = (ranges: readonly Range[], names: readonly string[], first: number) =>
    ranges.map(({ start, end, step }) => ({ start: names[start - first], end: names[end - first], step }))
  return {
    minute: [...calendar.minute],
    hour: [...calendar.hour],
    dayOfMonth: [...calendar.dayOfMonth],
    month: named(calendar.month, months, 1),
    dayOfWeek: named(calendar.dayOfWeek, days, 0),
  } as CalendarSpec
}

function scheduleIn({ scheduleId, spec, action, policies }: ScheduleDescription): Schedule {
  const [request] = (action.args ?? []) as [{ readonly target?: string; readonly what?: Scheduled }?]
  const [calendar] = spec.calendars ?? []
  return {
    id: scheduleId,
    target: request?.target ?? '',
    what: request?.what ?? 'restore-point',
    taskQueue: action.taskQueue,
    calendar: calendarIn(calendar),
    timeZone: spec.timezone ?? 'UTC',
    overlap: policies.overlap as Schedule['overlap'],
    catchUpMs: policies.catchupWindow,
  }
}

/** One that somebody gave intervals instead has no field, which differs from every other. */
function calendarIn(it: Described | undefined): Calendar {
  const numbered = (
    ranges: readonly { start: string; end: string; step: number }[] = [],
    names: readonly string[],
    first: number,
  ) =>
    ranges.map(({ start, end, step }) => ({
      start: names.indexOf(start) + first,
      end: names.indexOf(end) + first,
      step,
    }))
  return {
    minute: it?.minute ?? [],
    hour: it?.hour ?? [],
    dayOfMonth: it?.dayOfMonth ?? [],
    month: numbered(it?.month, months, 1),
    dayOfWeek: numbered(it?.dayOfWeek, days, 0),
  }
}
