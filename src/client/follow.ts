// Following a run by asking it again and again: a worker may restart under it, and so may the server.

import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client'
import { StepbackError } from '../plan/failure.js'
import type { Progress } from '../plan/progress.js'

export interface FollowOptions {
  readonly everyMs?: number
  /** The server may be silent for so long before following gives up; a worker may be silent for ever. */
  readonly patienceMs?: number
  /** Told when the worker or the server falls silent, and when both answer again. */
  readonly onSilence?: (silent: 'worker' | 'server' | null) => void
  readonly signal?: AbortSignal
}

export interface Followed {
  /** Whether the newest run of that name is open. */
  isOpen(): Promise<boolean>
  progress(): Promise<Progress>
}

/** Yields every change, the last one included, and ends with the run. `Unreachable` when the server stays away. */
export async function* follow(run: Followed, options: FollowOptions = {}): AsyncGenerator<Progress, void> {
  const { everyMs = 400, patienceMs = 60_000, signal } = options
  const silence = new Silence(patienceMs, options.onSilence)
  let shown = ''
  while (!signal?.aborted) {
    const open = await silence.bear('server', () => run.isOpen())
    const progress = open === undefined ? undefined : await silence.bear('worker', () => run.progress())
    if (progress && JSON.stringify(progress) !== shown) {
      shown = JSON.stringify(progress)
      yield progress
    }
    if (open === false) return
    await sleep(everyMs, undefined, signal ? { signal } : {}).catch(() => undefined)
  }
}

class Silence {
  #silent: 'worker' | 'server' | null = null
  #since: number | null = null

  constructor(
    private readonly patienceMs: number,
    private readonly tell: FollowOptions['onSilence'],
  ) {}

  /** The answer, or nothing where there is none for now. */
  async bear<T>(who: 'worker' | 'server', ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await ask()
      if (who === 'server') this.#since = null
      if (this.#silent === who || who === 'worker') this.#say(null)
      return answer
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || !isGrpcFailure(error)) throw error
      this.#say(who)
      if (who === 'server') this.#lose(error)
      return undefined
    }
  }

  #say(silent: 'worker' | 'server' | null): void {
    if (this.#silent === silent) return
    this.#silent = silent
    this.tell?.(silent)
  }

  #lose(cause: unknown): void {
    this.#since ??= Date.now()
    if (Date.now() - this.#since < this.patienceMs) return
    throw new StepbackError({
      type: 'Unreachable',
      message: `Temporal has not answered for ${Math.round(this.patienceMs / 1_000)} s`,
      hint: 'the run goes on by itself once the server is back.',
      cause,
    })
  }
}

function isGrpcFailure(error: unknown): boolean {
  return isGrpcServiceError(error) || (error instanceof Error && isGrpcServiceError(error.cause))
}
