// What a run could begin without, and would find out later: `doctor` asks for it beside preflight.

import type { Finding } from './facts.js'
import type { HealthReport } from './progress.js'
import { list } from './steps/list.js'

export interface Fitness {
  readonly target: string
  /** How far the host's clock is ahead of the worker's; null where it did not say. */
  readonly aheadSeconds: number | null
  readonly health: readonly HealthReport[]
  /** What the version check answered; undefined where none is configured. */
  readonly version: string | null | undefined
  /** Programs that the database's container lacks; undefined without a database. */
  readonly missingPrograms: readonly string[] | undefined
  /** The emergency stop that is in force, and what ran before it. */
  readonly stop: { readonly by: string; readonly ran: readonly string[] } | null
  /** The file that goes first when the disk is full; null where none is wanted, or no run was yet that could make it. */
  readonly reserve: 'there' | 'missing' | null
}

/** Restore points are ordered by their times, which workers take from their own clocks. */
const skewLimitSeconds = 30

export function fitness(seen: Fitness): Finding[] {
  return [
    ...(seen.aheadSeconds === null ? [] : [clock(seen.aheadSeconds)]),
    ...(seen.missingPrograms ? [programs(seen.missingPrograms)] : []),
    ...(seen.reserve === null ? [] : [reserve(seen.reserve)]),
    ...(seen.stop ? [stopped(seen.target, seen.stop)] : answers(seen)),
  ]
}

/** What was stopped on purpose does not answer, and that is no reason to mend it. */
function stopped(target: string, { by, ran }: NonNullable<Fitness['stop']>): Finding {
  const what = ran.length > 0 ? `${list(ran)} ${ran.length > 1 ? 'were' : 'was'}` : 'the application was'
  const detail = `${what} stopped on purpose by ${by}`
  return { check: 'stop', ok: false, detail, hint: `start it: stepback emergency ${target} start.` }
}

function answers(seen: Fitness): Finding[] {
  return [health(seen.health), ...(seen.version === undefined ? [] : [version(seen.version)])]
}

function reserve(seen: NonNullable<Fitness['reserve']>): Finding {
  const check = 'reserve'
  if (seen === 'there') return { check, ok: true, detail: 'a file goes first when the disk is full' }
  const hint = 'free some room where backups lie: the next run makes it, where three times its size is free.'
  return { check, ok: false, detail: 'without it no emergency can act on a disk that has no byte left', hint }
}

function clock(aheadSeconds: number): Finding {
  const skew = Math.abs(aheadSeconds)
  if (skew <= skewLimitSeconds) return { check: 'clock', ok: true, detail: 'that of this machine' }
  const detail = `${skew} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} this machine`
  return { check: 'clock', ok: false, detail, hint: 'let both keep time, as by `timedatectl set-ntp true`.' }
}

function programs(missing: readonly string[]): Finding {
  const check = 'database programs'
  if (missing.length === 0) return { check, ok: true, detail: "in the database's container" }
  const hint = 'use an image of PostgreSQL that has its client programs and the user postgres, as the official one has.'
  return { check, ok: false, detail: `the database's container has no ${missing.join(', ')} for user postgres`, hint }
}

function health(reports: readonly HealthReport[]): Finding {
  if (reports.length === 0) {
    const hint = 'name some in health.checks: without any, a release counts as good as soon as its containers run.'
    return { check: 'health', ok: true, detail: 'no checks', hint }
  }
  const failing = reports.filter((it) => !it.healthy)
  if (failing.length === 0) return { check: 'health', ok: true, detail: reports.map((it) => it.check).join(', ') }
  const detail = failing.map((it) => `${it.check}: ${it.detail}`).join('; ')
  const hint = 'mend the application, or the checks in health.checks: as it is, every deploy would be undone.'
  return { check: 'health', ok: false, detail, hint }
}

function version(answered: string | null): Finding {
  if (answered !== null) return { check: 'version', ok: true, detail: answered }
  const hint = 'mend the application, or version.url and version.field: as it is, every deploy would be undone.'
  return { check: 'version', ok: false, detail: 'no answer', hint }
}
