// The question at a gate, for whoever follows a run at a terminal. It may be answered elsewhere meanwhile, in the Web UI
// or by another person: then it is withdrawn.

import type { Approve, Progress, Resolve, StepbackClient } from '../client.js'
import { shortDigest } from '../plan/describe.js'
import type { OpenGate } from '../plan/progress.js'
import type { Io } from './io.js'
import { person } from './person.js'
import type { View } from './view/view.js'
import { visible, visibleLines } from './view/visible.js'

export interface Asking {
  readonly io: Io
  readonly view: Pick<View, 'hold' | 'release'>
  readonly client: Pick<StepbackClient, 'approve' | 'reject' | 'resolve'>
  readonly run: string
}

/** Asks once for each gate, as it is seen; nothing where nobody sits at a terminal. */
export class Question {
  #about = ''
  #open: AbortController | undefined
  #asking: Promise<void> = Promise.resolve()

  constructor(private readonly asking: Asking) {}

  see(progress: Progress): void {
    const about = progress.gate ? gateOf(progress, progress.gate) : ''
    if (about === this.#about) return
    this.#about = about
    this.#open?.abort()
    if (!progress.gate || !this.asking.io.ask || progress.gate.signs !== undefined) return
    const open = new AbortController()
    this.#open = open
    this.#asking = this.#asking.then(() => this.#ask(progress, progress.gate!, open.signal))
  }

  async end(): Promise<void> {
    this.#open?.abort()
    await this.#asking
  }

  async #ask(progress: Progress, gate: OpenGate, withdrawn: AbortSignal): Promise<void> {
    const { io, view } = this.asking
    if (withdrawn.aborted) return
    view.hold()
    try {
      const words = (await io.ask!(wording(progress, gate), withdrawn)).trim().toLowerCase()
      if (!withdrawn.aborted) io.say(visible(await this.#answer(progress, gate, words)))
    } catch (error) {
      io.say(`not taken: ${visibleLines((error as Error).message)}`)
    } finally {
      view.release()
    }
  }

  async #answer(progress: Progress, gate: OpenGate, words: string): Promise<string> {
    const { client, run } = this.asking
    const answer = answerOf(progress, gate, words)
    if (answer === null) return 'left open: it waits for whoever answers'
    if ('action' in answer) return (await client.resolve(run, answer)).text
    if ('digest' in answer) return (await client.approve(run, answer)).text
    return (await client.reject(run, answer)).text
  }
}

/** Another plan is another question, and so is the same one that is put again. */
function gateOf({ plan }: Progress, { asks, why, until }: OpenGate): string {
  return JSON.stringify([asks, why, until, plan?.digest])
}

function wording({ plan }: Progress, { asks }: OpenGate): string {
  const as = `as ${visible(person())}`
  if (asks === 'resolve') return `retry, skip or abort, ${as}? (Enter leaves it open) `
  return `approve the plan ${shortDigest(plan?.digest ?? '')}, ${as}? [y]es, [n]o: reject it (Enter leaves it open) `
}

type Answer = Resolve | (Approve & { readonly digest: string }) | { readonly by: string }

/** What was seen is what is approved: the digest is that of the plan above the question. */
function answerOf({ plan }: Progress, { asks }: OpenGate, words: string): Answer | null {
  const by = person()
  const action = (['retry', 'skip', 'abort'] as const).find((it) => it === words)
  if (asks === 'resolve') return action ? { by, action } : null
  if (words === 'y' || words === 'yes') return { by, digest: plan?.digest ?? '' }
  return words === 'n' || words === 'no' ? { by } : null
}
