// The person at the gates of a run: approves what it shows, has what failed tried again, and gives up in the end.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Progress, Resolve, StepbackClient } from '../src/client.js'
import type { Ended } from './verdict.js'

/** Longer than a run whose faults are mended takes; one that meets a dozen of them, one behind the other, takes longer. */
export const endsWithinMs = 6 * 60_000
/** To the gates of one run, one after the other, and over again; never `skip`, behind which nobody knows what is there. */
const answers: readonly Resolve['action'][] = ['retry', 'retry', 'retry', 'abort']

/** Waits for the end of a run, and answers what it asks meanwhile. */
export async function attend(client: StepbackClient, run: string, withinMs = endsWithinMs): Promise<Ended> {
  const deadline = Date.now() + withinMs
  let given = 0
  while (await client.isOpen(run).catch(() => true)) {
    if (Date.now() > deadline) return { run, outcome: null, message: await lastWords(client, run), left: [] }
    const progress = await client.progress(run).catch(() => undefined)
    // Whoever is asked to resolve something looks around first; meanwhile it may be mended.
    if (progress?.gate?.asks === 'resolve') await sleep(4_000)
    if (progress?.gate) given += await answer(client, run, progress, answers[given % answers.length]!)
    await sleep(progress?.gate ? 500 : 250)
  }
  return await endOf(client, run)
}

/** How many of the answers to failures it took. */
async function answer(client: StepbackClient, run: string, progress: Progress, action: Resolve['action']) {
  const by = 'chaos'
  try {
    if (progress.gate!.asks === 'approve') {
      await client.approve(run, { by, ...(progress.plan ? { digest: progress.plan.digest } : {}) })
      return 0
    }
    await client.resolve(run, { by, action })
    return 1
  } catch {
    return 0 // it was answered already, or nobody could hear it: asked again in a moment
  }
}

async function endOf(client: StepbackClient, run: string): Promise<Ended> {
  for (let tries = 1; ; tries++) {
    try {
      const ended = await client.result(run)
      const { result } = ended
      return {
        run,
        outcome: ended.outcome,
        message: ended.outcome === 'done' ? '' : ended.message,
        left: result?.left ?? [],
      }
    } catch (error) {
      if (tries === 20) throw error
      await sleep(500) // Temporal is on its way back
    }
  }
}

async function lastWords(client: StepbackClient, run: string): Promise<string> {
  const progress = await client.progress(run).catch(() => undefined)
  return progress ? `phase ${progress.phase}, gate ${progress.gate?.why ?? 'none'}` : 'nobody answers for it'
}
