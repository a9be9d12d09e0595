// Starting a run is one line; staying with it until its end, whatever falls silent meanwhile, is this.

import type { Outcome, Progress } from '../client.js'
import { StepbackError } from '../plan/failure.js'
import type { Session } from './configuration.js'
import { exitCodeOf, exitCodes } from './exit-code.js'
import type { Io } from './io.js'
import { Question } from './question.js'
import { renderEnding, renderLeft } from './view/ending.js'
import { renderPlanInFull } from './view/plan.js'
import { openView } from './view/view.js'
import { visible } from './view/visible.js'

export interface Following {
  readonly io: Io
  readonly session: Session
  readonly run: string
  /** Whether to stay while the run waits for a person. */
  readonly wait: boolean
  readonly json: boolean
  readonly dryRun?: boolean
}

/** Shows the run until it ends or is left, says what came of it, and returns the exit code. */
export async function followRun(following: Following): Promise<number> {
  const { io, session, run } = following
  const url = session.url(run)
  io.say(url ? `${visible(run)}  ${url}` : visible(run))
  const left = await watch(following)
  if (left) return leave(following, left.progress)
  return await conclude(following)
}

/** Nothing comes back when the run ended; else what was seen last. */
async function watch(following: Following): Promise<{ progress: Progress | undefined } | undefined> {
  const { io, session, run, wait, json } = following
  const view = openView(io, run)
  const question = json ? undefined : new Question({ io, view, client: session.client, run })
  const stop = new AbortController()
  const onInterrupt = () => stop.abort()
  process.once('SIGINT', onInterrupt)
  let progress: Progress | undefined
  try {
    const options = { signal: stop.signal, onSilence: (who: 'worker' | 'server' | null) => view.silent(who) }
    for await (progress of session.client.follow(run, options)) {
      view.show(progress)
      if (!wait && progress.gate) return { progress }
      question?.see(progress)
    }
    return stop.signal.aborted ? { progress } : undefined
  } catch (error) {
    if (!(error instanceof StepbackError) || error.type !== 'Unreachable') throw error
    io.say(error.message)
    return { progress }
  } finally {
    process.off('SIGINT', onInterrupt)
    await question?.end()
    view.end()
  }
}

function leave({ io, session, run, json }: Following, progress: Progress | undefined): number {
  for (const line of renderLeft(progress, visible(run))) io.say(line)
  if (json) io.print(JSON.stringify({ run, url: session.url(run), outcome: 'left', progress: progress ?? null }))
  return exitCodes.left
}

async function conclude({ io, session, run, json, dryRun = false }: Following): Promise<number> {
  const outcome: Outcome = await session.client.result(run)
  const plan = dryRun && outcome.outcome === 'done' ? await session.client.plan(run) : undefined
  if (json) io.print(JSON.stringify({ run, url: session.url(run), ...outcome, ...(plan ? { plan } : {}) }))
  else if (plan) io.print(renderPlanInFull(plan))
  for (const line of renderEnding(outcome, visible(run), dryRun)) io.say(line)
  return exitCodeOf(outcome)
}
