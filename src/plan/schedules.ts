// What is to happen on time, and how that differs from what Temporal has.

import { type Calendar, parseCron } from './cron.js'
import { durationMs } from './duration.js'

export type Scheduled = 'restore-point' | 'memories' | 'drill' | 'prune'

export interface Schedule {
  readonly id: string
  readonly target: string
  readonly what: Scheduled
  readonly taskQueue: string
  readonly calendar: Calendar
  readonly timeZone: string
  readonly overlap: 'SKIP' | 'BUFFER_ONE'
  readonly catchUpMs: number
}

/** What the configuration of a target says; a time, or `off`. */
export interface Times {
  readonly restorePoint: string
  readonly memories: string
  readonly drill: string
  readonly prune: string
  readonly timeZone: string
  readonly overlap: 'skip' | 'wait'
  readonly catchUp: string
}

export interface Change {
  readonly does: 'create' | 'update' | 'delete'
  readonly id: string
  /** What differs, `timeZone: UTC to Europe/Berlin`; empty where all of it comes or goes. */
  readonly differs: readonly string[]
}

const idBegins = 'stepback-'

/** The schedules of one target; what it has none of (a database, memories) has no schedule. */
export function schedulesOf(input: {
  readonly target: string
  readonly taskQueue: string
  readonly times: Times
  readonly database: boolean
  readonly memories: boolean
}): Schedule[] {
  const { target, taskQueue, times } = input
  const whats: readonly (readonly [Scheduled, string, boolean])[] = [
    ['restore-point', times.restorePoint, true],
    ['memories', times.memories, input.memories],
    ['drill', times.drill, input.database],
    ['prune', times.prune, true],
  ]
  return whats
    .filter(([, at, has]) => has && at !== 'off')
    .map(([what, at]) => ({
      id: `${idBegins}${target}-${what}`,
      target,
      what,
      taskQueue,
      calendar: parseCron(at),
      timeZone: times.timeZone,
      overlap: times.overlap === 'wait' ? 'BUFFER_ONE' : 'SKIP',
      catchUpMs: durationMs(times.catchUp),
    }))
}

/** What schedules of this target are called, wanted or not. */
export function scheduleIdsOf(target: string): string[] {
  return ['restore-point', 'memories', 'drill', 'prune'].map((what) => `${idBegins}${target}-${what}`)
}

/** What would make `found` equal to `wanted`, in the order of the ids. */
export function changesBetween(found: readonly Schedule[], wanted: readonly Schedule[]): Change[] {
  const gone = found.filter((it) => !wanted.some(({ id }) => id === it.id))
  const changes = wanted.flatMap((it): Change[] => {
    const before = found.find(({ id }) => id === it.id)
    if (!before) return [{ does: 'create', id: it.id, differs: [] }]
    const differs = differencesOf(before, it)
    return differs.length > 0 ? [{ does: 'update', id: it.id, differs }] : []
  })
  const all = [...changes, ...gone.map(({ id }): Change => ({ does: 'delete', id, differs: [] }))]
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function differencesOf(before: Schedule, after: Schedule): string[] {
  const keys = ['target', 'what', 'taskQueue', 'calendar', 'timeZone', 'overlap', 'catchUpMs'] as const
  return keys.flatMap((key) => {
    const [was, is] = [inWords(before[key]), inWords(after[key])]
    return was === is ? [] : [`${key}: ${was} to ${is}`]
  })
}

function inWords(value: Schedule[keyof Schedule]): string {
  return typeof value === 'object' ? timeInWords(value) : String(value)
}

/** As cron would write it. */
export function timeInWords(calendar: Calendar): string {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = calendar
  const all = [
    [minute, 0, 59],
    [hour, 0, 23],
    [dayOfMonth, 1, 31],
    [month, 1, 12],
    [dayOfWeek, 0, 6],
  ] as const
  return all.map(([ranges, min, max]) => ranges.map((it) => rangeInWords(it, min, max)).join(',')).join(' ')
}

function rangeInWords({ start, end, step }: Calendar['minute'][number], min: number, max: number): string {
  const span = start === min && end === max ? '*' : start === end ? `${start}` : `${start}-${end}`
  return step === 1 ? span : `${span}/${step}`
}
