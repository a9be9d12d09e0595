// One long activity polls a target and returns only when something changed: a history grows by changes, not by beats.

import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { findTarget } from '../config/load.js'
import { parseGuardRequest } from '../config/request.js'
import type { Target } from '../config/schema.js'
import type { LeaseState } from '../adapters/host.js'
import { approvalRule } from '../plan/approval.js'
import { durationMs } from '../plan/duration.js'
import { StepbackError } from '../plan/failure.js'
import type { GuardPolicy, GuardSettings, Sight } from '../plan/guard.js'
import { type Recorded, debts, stopInForce } from '../plan/ledger.js'
import { count, describeRate, rateOutcome, readCounters, uncounted } from '../plan/metrics.js'
import type { Subscriptions } from '../plan/notice.js'
import {
  type PollMemory,
  afterPause,
  graceUntil,
  nothingPolled,
  polled,
  polledNobody,
  underRelease,
} from '../plan/polls.js'
import type { HealthReport } from '../plan/progress.js'
import { type Standing, guardRun, standing } from '../plan/standing.js'
import { type SourceVerdict, track, untried } from '../plan/verdict.js'
import { beating } from './act.js'
import type { Deps } from './deps.js'
import { askChecks } from './health.js'
import { subscriptionsOf } from './notices.js'
import { ledgerRecords } from './observe/ledger.js'
import { Look } from './observe/look.js'

/** So long it is silent where nothing changes, so that a worker that dies takes no more than that with it. */
const longestMs = 10 * 60_000
/** Looks and reports in one run of the workflow: some thousands of events. */
const renewAfter = 500
/** A worker that restarts, or a disk that is full for a moment, is over by then; what is not is for a person. */
const retry = { times: 3, afterMs: 60_000 }
/** Later than a busy worker is. */
const absenceMs = 5_000

export interface Watching {
  readonly target: string
  readonly memory: PollMemory | null
  /** What was returned last; absent at the beginning, when the first look returns at once. */
  readonly known: Sight | null
}

export interface Watched {
  readonly sight: Sight
  readonly memory: PollMemory
}

export interface GuardRequest {
  readonly target: string
  readonly policy: GuardPolicy | null
}

export function guardActivities(deps: Deps) {
  return {
    /** Reads the raw request; `InvalidRequest` and `UnknownTarget` end the guard before it begins. */
    async readGuardRequest(raw: unknown): Promise<GuardRequest> {
      return await beating(async () => {
        const { target, policy } = parseGuardRequest(raw)
        return { target: findTarget(deps.config, target).name, policy: policy ?? null }
      })
    },

    /** Polls until something is not as it was known, or for ten minutes. Not reaching the host is something, too. */
    async watchTarget(input: Watching): Promise<Watched> {
      return await beating(async () => await new Watch(deps, input).untilChanged())
    },
  }
}

class Watch {
  readonly #target: Target
  #memory: PollMemory
  #records: { readonly lease: number; readonly records: readonly Recorded[] } | null = null
  /** Since when what is polled counts; behind a pause it begins anew. */
  #countsFrom: string

  constructor(
    private readonly deps: Deps,
    private readonly input: Watching,
  ) {
    this.#target = findTarget(deps.config, input.target)
    this.#memory = input.memory ?? nothingPolled
    this.#countsFrom = input.known?.countsFrom ?? new Date().toISOString()
  }

  async untilChanged(): Promise<Watched> {
    const signal = Context.current().cancellationSignal
    const end = Date.now() + longestMs
    for (;;) {
      const began = Date.now()
      const sight = await this.#look()
      if (keyOf(sight) !== keyOf(this.input.known) || Date.now() > end)
        return { sight: await this.#recalling(sight), memory: this.#memory }
      const pauseMs = Math.max(0, durationMs(this.#target.guard.interval) - (Date.now() - began))
      await sleep(pauseMs, undefined, { signal })
    }
  }

  async #look(): Promise<Sight> {
    const { known } = this.input
    const settings = settingsOf(this.#target, subscriptionsOf(this.deps.config))
    try {
      const look = await Look.at(this.deps, this.#target.name)
      const lease = await look.host.readLease()
      return await this.#seen(look, settings, lease)
    } catch (error) {
      if (!isUnreachable(error)) throw error
      return { ...this.#away(settings), pause: known?.pause ?? null }
    }
  }

  /** What waits at its gate the ledger does not know yet, and a guard that was started anew neither. */
  async #recalling(sight: Sight): Promise<Sight> {
    const { release } = sight.standing
    if (!release) return sight
    const begun = await this.deps.runs.rollbacks(guardRun(this.#target.name), release.since).catch(() => undefined)
    return begun ? { ...sight, begun } : sight
  }

  #away(settings: GuardSettings): Omit<Sight, 'pause'> {
    const { known } = this.input
    const { memory, source } = polledNobody(this.#memory, settings, new Date().toISOString())
    this.#memory = memory
    return {
      settings,
      standing: known?.standing ?? unknownStanding,
      debts: known?.debts ?? noDebts,
      unreachable: true,
      countsFrom: this.#countsFrom,
      sources: [source],
    }
  }

  async #seen(look: Look, settings: GuardSettings, lease: LeaseState): Promise<Sight> {
    const worker = lease.holder ? await this.#atWork(lease) : null
    const records = await this.#ledger(look, lease)
    const now = standing(records, { target: this.#target.name })
    this.#memory = underRelease(this.#memory, now.release)
    const open = worker === null ? debts(records, noRun) : []
    const asking = open.flatMap(({ run, ask }) => (ask === undefined ? [] : [`${run.workflowId}: ${ask}`]))
    const pause = worker ?? stopOf(records) ?? this.#grace(records)
    const sources = await this.#poll(look, settings, pause)
    return {
      settings,
      standing: now,
      pause,
      countsFrom: this.#countsFrom,
      debts: { payable: open.length - asking.length, asking },
      sources,
    }
  }

  /** The ledger grows only under a lease, and every lease has a number of its own. */
  async #ledger(look: Look, lease: LeaseState): Promise<readonly Recorded[]> {
    if (lease.holder || this.#records?.lease !== lease.number)
      this.#records = { lease: lease.number, records: await ledgerRecords(look.host) }
    return this.#records.records
  }

  async #atWork({ holder }: LeaseState): Promise<string | null> {
    return (await this.deps.runs.state(holder!)) === 'closed' ? null : `${holder!.workflowId} is at work`
  }

  #grace(records: readonly Recorded[]): string | null {
    const last = records.findLast(({ entry }) => entry.kind === 'finished')?.at
    const until = graceUntil(this.#memory, last, durationMs(this.#target.guard.grace))
    return Date.now() < until ? `grace until ${new Date(until).toISOString()}` : null
  }

  /** While nothing counts nothing is asked. */
  async #poll(look: Look, settings: GuardSettings, pause: string | null): Promise<SourceVerdict[]> {
    if (pause !== null) {
      this.#memory = afterPause(this.#memory)
      this.#countsFrom = new Date().toISOString()
      return []
    }
    const reports = await orUnreachable(() => askChecks(look))
    const { memory, source } = polled(this.#memory, reports, settings)
    this.#memory = memory
    const own = look.target.health.checks.length > 0 ? [source] : []
    return [...own, ...(await this.#pollMetrics(look, settings))]
  }

  async #pollMetrics(look: Look, settings: GuardSettings): Promise<SourceVerdict[]> {
    const rules = this.#target.guard.metrics
    return await Promise.all(
      rules.map(async (rule) => {
        const text = await this.deps.http.text(look.ssh, rule.url)
        const counted = text === null ? null : readCounters(text, rule)
        const before = this.#memory.metrics[rule.name] ?? { counting: uncounted, track: untried }
        const counting = counted ? count(before.counting, counted) : before.counting
        const outcome = counted ? rateOutcome(counting, rule) : 'unknown'
        const next = track(before.track, outcome, settings)
        this.#memory = { ...this.#memory, metrics: { ...this.#memory.metrics, [rule.name]: { counting, track: next } } }
        return { source: rule.name, verdict: next.verdict, detail: counted ? describeRate(counting) : 'no such metric' }
      }),
    )
  }
}

const noRun = { workflowId: '', runId: '' }
const noDebts = { payable: 0, asking: [] }
const unknownStanding: Standing = { release: null, to: null, schemaChanged: false, never: 'no ledger could be read' }

/** What a workflow would decide anew by; not the words of a detail, which change with every answer. */
function keyOf(sight: Sight | null): string {
  if (!sight) return ''
  const { settings, standing: now, pause, unreachable, debts: open, sources } = sight
  return JSON.stringify([
    settings,
    now,
    pause,
    unreachable,
    open,
    sources.map(({ source, verdict }) => [source, verdict]),
  ])
}

function stopOf(records: readonly Recorded[]): string | null {
  const stop = stopInForce(records)
  return stop === null ? null : `stopped by ${stop.by}`
}

function settingsOf({ guard, approval }: Target, notifies: Subscriptions | undefined): GuardSettings {
  const { failures, of, recover, agree, expects, mayLoseData } = guard
  return {
    failures,
    of,
    recover,
    agree,
    expects,
    mayLoseData,
    policy: guard.policy ?? null,
    losesUnasked: approvalRule(approval, 'full').policy === 'never',
    windowMs: durationMs(guard.window),
    silenceMs: durationMs(guard.silence),
    undecidedMs: durationMs(guard.undecided),
    renewAfter,
    absenceMs,
    retry,
    ...(notifies ? { notifies } : {}),
  }
}

async function orUnreachable(ask: () => Promise<readonly HealthReport[]>): Promise<readonly HealthReport[] | null> {
  try {
    return await ask()
  } catch (error) {
    if (isUnreachable(error)) return null
    throw error
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof StepbackError && (error.type === 'Unreachable' || error.type === 'Busy')
}
