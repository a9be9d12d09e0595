// What is the same for every act: the lease is looked at first, the ledger says start and end around it, an undo ends
// the jobs of its do before anything else, and whatever went wrong crosses Temporal by its type.

import { Context } from '@temporalio/activity'
import type { ActArgs, ActName } from '../plan/act.js'
import type { ActInput, ActResult } from './act-input.js'
import { ActContext } from './context.js'
import type { Deps } from './deps.js'
import { orLeave } from './stopping.js'
import { messageOf, toFailure } from './to-failure.js'

export interface ActDefinition<N extends ActName> {
  /** Names of the jobs that it may start on the host, so that an undo can end them. */
  readonly jobs: readonly string[]
  /** It looks while the ledger is told of its start, and awaits `context.begun` before a first change that is no job. */
  readonly looksFirst?: true
  /** Does it, or finds it done; idempotent. What it returns is shown beside the step. */
  readonly run: (context: ActContext, args: ActArgs[N]) => Promise<string | null>
}

export type ActCatalogue = { readonly [N in ActName]: ActDefinition<N> }

export type ActActivities = { [N in ActName]: (input: ActInput<N>) => Promise<ActResult> }

/** One activity for each act of the catalogue. */
export function actActivities(deps: Deps, catalogue: ActCatalogue): ActActivities {
  const names = Object.keys(catalogue) as ActName[]
  return Object.fromEntries(
    names.map((name) => [name, (input: ActInput<typeof name>) => perform(deps, catalogue, name, input)]),
  ) as unknown as ActActivities
}

async function perform<N extends ActName>(
  deps: Deps,
  catalogue: ActCatalogue,
  name: N,
  input: ActInput<N>,
): Promise<ActResult> {
  return await beating(async () => {
    const { log } = Context.current()
    const step = { target: input.target, step: input.stepName, act: name, undo: input.undo > 0 }
    log.info('step begins', step)
    const context = await ActContext.open(deps, input)
    context.begin(name)
    if (input.undo > 0 || !catalogue[name].looksFirst) await context.begun
    try {
      if (input.undo > 0) await context.sealDo(catalogue[input.stepName].jobs)
      const detail = await catalogue[name].run(context, input.args)
      await context.begun
      await context.end({ act: name, outcome: 'done', ...(detail === null ? {} : { detail }) })
      log.info('step is done', { ...step, detail })
      return { detail, attempts: Context.current().info.attempt }
    } catch (error) {
      // What never began has no end.
      await context.begun
      log.warn('step failed', { ...step, detail: messageOf(error) })
      await context.end({ act: name, outcome: 'failed', detail: messageOf(error) }).catch(() => undefined)
      throw error
    }
  })
}

/** Keeps the heartbeat going while the work lives, so that a dead worker is noticed and a cancel arrives. */
export async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current()
  const timer = setInterval(() => context.heartbeat(), 1_000)
  try {
    return await orLeave(work())
  } catch (error) {
    throw toFailure(error)
  } finally {
    clearInterval(timer)
  }
}
