// One deploy of one seed, from its start to what is there when it has ended.

import { type WorkflowHandle, WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import type { Progress } from '../../src/plan/progress.js'
import { Faults } from './faults.js'
import { SimulatedHost } from './host.js'
import type { Release } from './stack.js'
import type { Stage } from './stage.js'
import { type Ended, type Verdict, judge } from './verdict.js'

export interface Deployed extends Verdict, Ended {
  readonly seed: number
  readonly release: Release
  readonly commands: number
  readonly failed: number
  /** How often a person had to say that an undo is tried again. */
  readonly asked: number
  readonly events: number
}

/** How often somebody looks whether a run asks a person. */
const lookEveryMs = 15_000

export async function deploy(stage: Stage, seed: number, rate: number): Promise<Deployed> {
  const faults = new Faults(seed, rate)
  const host = new SimulatedHost(`t${seed}`, seed, releaseOf(seed))
  stage.world.add(host, faults)
  const handle = await stage.start(host.name)
  const operator = new Operator(handle)
  const ended = await resultOf(handle).finally(() => operator.leave())
  const { commands, failed } = faults
  faults.stop()
  const verdict = await judge(host, stage.world.host(host.name), ended)
  stage.world.remove(host)
  const events = (await handle.describe()).historyLength
  return { seed, release: host.release, ...ended, ...verdict, commands, failed, asked: operator.asked, events }
}

/** One in ten has to be undone, so that undoing meets the same faults. */
function releaseOf(seed: number): Release {
  const bad = ['does not build', 'does not migrate', 'is not healthy'] as const
  return seed % 10 === 0 ? bad[(seed / 10) % bad.length]! : 'good'
}

async function resultOf(handle: WorkflowHandle): Promise<Ended> {
  try {
    await handle.result()
    return { said: 'done', message: '' }
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined
    if (!(cause instanceof ApplicationFailure)) throw error
    return { said: (cause.type ?? '').toLowerCase(), message: cause.message }
  }
}

/** Says that it is tried again, to a run that would wait for a person for ever. */
class Operator {
  asked = 0
  readonly #timer: NodeJS.Timeout
  #looking: Promise<void> = Promise.resolve()

  constructor(private readonly handle: WorkflowHandle) {
    this.#timer = setInterval(() => {
      this.#looking = Promise.all([this.#looking, this.#look().catch(() => undefined)]).then(() => undefined)
    }, lookEveryMs)
  }

  /** Behind the last answer: a question that is asked again once the server is gone would end the process. */
  async leave(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { gate } = await this.handle.query<Progress>('progress')
    if (gate?.until !== '') return
    await this.handle.executeUpdate('resolve', { args: [{ by: 'the trial', action: 'retry' }] })
    this.asked += 1
  }
}
