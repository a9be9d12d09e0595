// What an exchange may lose: counted before the door closes, and behind it by the counters alone.

import {
  type Counted,
  type DatabaseAddress,
  type Judge,
  type TargetDatabase,
  writesSince,
} from '../adapters/database.js'
import type { SwapArgs } from '../plan/act.js'
import { amountOf, grownBy } from '../plan/exposure.js'
import { StepbackError } from '../plan/failure.js'
import type { Exposure } from '../plan/plan.js'
import type { CarryResult } from './carry.js'
import type { ActContext } from './context.js'
import { exposureSince } from './exposure.js'
import { readManifest } from './observe/manifests.js'

export interface LossBound {
  readonly openJudge: () => Promise<Judge>
  exposure: Exposure | null
}

/**
 * What would be lost is known before the door closes: as it was shown, else counted through a session of the run's own.
 * Behind the door that session reads the counters alone, so that the database stays closed no longer than a swap takes.
 */
export function lossBound(
  context: ActContext,
  address: DatabaseAddress,
  args: SwapArgs,
  mayLoseRows: number,
): LossBound {
  const bound: LossBound = {
    exposure: null,
    openJudge: async () =>
      await judgeOf(context, address, async (live) => {
        const counted = await countedBefore(context, address, live, args)
        return async () => {
          const since = writesSince({ before: counted.counters, after: await live.counters() })
          bound.exposure = since ? grownBy(counted.exposure, since) : null
          return bound.exposure !== null && bound.exposure.total <= mayLoseRows
        }
      }),
  }
  return bound
}

/** A session of the run's own in the live database, with what it asks once nobody else can write. */
async function judgeOf(
  context: ActContext,
  address: DatabaseAddress,
  prepare: (live: TargetDatabase) => Promise<() => Promise<boolean>>,
): Promise<Judge> {
  const applicationName = `${address.applicationName}:c`
  const live = await context.deps.database.TargetDatabase.connect({ ...address, applicationName })
  try {
    return { pid: live.pid, goOn: await prepare(live), end: () => live.end() }
  } catch (error) {
    await live.end()
    throw error
  }
}

export function carriedBound(
  context: ActContext,
  input: {
    readonly address: DatabaseAddress
    readonly carried: CarryResult | undefined
    /** What was written since counts as lost then. */
    readonly mayBeStale: boolean
    readonly mayLoseRows: number
  },
): LossBound & { readonly stale: boolean } {
  const bound = {
    exposure: null as Exposure | null,
    stale: true,
    openJudge: async () =>
      await judgeOf(context, input.address, async (live) => async () => {
        const { exposure, counters } = input.carried!.lost
        const since = writesSince({ before: counters, after: await live.counters() })
        bound.stale = since === undefined || since.total > 0
        bound.exposure = since ? grownBy(exposure, since) : null
        if (bound.stale && !input.mayBeStale) return false
        return bound.exposure !== null && bound.exposure.total <= input.mayLoseRows
      }),
  }
  return bound
}

/** As it was shown, while the counters of that moment can be compared with those of now. */
async function countedBefore(
  context: ActContext,
  address: DatabaseAddress,
  live: TargetDatabase,
  { from, since }: SwapArgs,
): Promise<Counted> {
  const { exposure, counters } = context.shown
  if (exposure && counters && writesSince({ before: counters, after: await live.counters() })) {
    return { exposure, counters }
  }
  return await exposureSince(context, address, {
    live,
    point: await readManifest(context, context.restorePoint(since ?? from)),
    kept: since !== undefined,
  })
}

export function exceeded(exposure: Exposure | null, mayLoseRows: number): StepbackError {
  return new StepbackError({
    type: 'ExposureExceeded',
    message: `${exposure ? amountOf(exposure) : 'an unknown number of rows'} would be lost, and ${mayLoseRows} are allowed; the database is open again`,
    details: { exposure, asks: 'approval' },
  })
}
