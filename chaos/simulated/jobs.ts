// Jobs of the simulated helper: claimed at once, done a moment later whoever asks, and each once.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Doing } from './doing.js'
import { Refusal } from './refusal.js'

interface Generation {
  readonly token: number
  exit?: string
  stdout: string
  verdict?: string
}

interface Job {
  readonly script: string
  readonly doing: Doing
  readonly generations: Generation[]
  cancelled: boolean
  runs: number
}

/** How long a call waits for a job before it answers that there is more to wait for. */
const patienceMs = 15

export class Jobs {
  readonly #jobs = new Map<string, Job>()
  /** Ids that were cancelled before they ever started. */
  readonly #barred = new Set<string>()

  constructor(
    private readonly input: {
      readonly inForce: (token: number) => boolean
      /** Its exit status and what it prints. */
      readonly run: (doing: Doing) => { readonly status: number; readonly stdout: string }
      /** Milliseconds. */
      readonly lasts: (doing: Doing) => number
    },
  ) {}

  async start(id: string, token: number, generation: number, script: string, doing: Doing): Promise<string> {
    const job = this.#jobs.get(id) ?? this.#add(id, script, doing)
    if (job.script !== script) throw new Refusal('other-command', id)
    if (job.generations.length < generation && this.#mayFollow(job, generation)) this.#spawn(job, token)
    const following = job.generations.length
    return `follow ${following}\n${await this.wait(id, following)}`
  }

  async wait(id: string, generation: number): Promise<string> {
    const job = this.#jobs.get(id)
    const waited = job?.generations[generation - 1]
    if (!job || !waited) return `unclaimed ${generation}\n`
    if (waited.exit === undefined) await sleep(patienceMs)
    if (waited.exit === undefined) return `more ${generation}\n`
    const force = this.input.inForce(waited.token) ? 'yes' : 'no'
    const length = Buffer.byteLength(waited.stdout)
    return `exit ${generation} ${waited.exit} ${waited.verdict ?? 'none'} ${force} ${length} 0\n${waited.stdout}`
  }

  cancel(id: string): string {
    const job = this.#jobs.get(id)
    if (!job) this.#barred.add(id)
    else this.#end(job)
    return `cancelled ${job?.generations.length ?? 0}\n`
  }

  /** Ends every job of an older token. */
  sweep(token: number): void {
    for (const job of this.#jobs.values()) if ((job.generations.at(-1)?.token ?? token) < token) this.#end(job)
  }

  /** Of what ran more than once, or has not ended. */
  get problems(): string[] {
    return [...this.#jobs].flatMap(([id, { runs, generations }]) => [
      ...(runs > 1 ? [`the job ${id} was done ${runs} times`] : []),
      ...(generations.some((it) => it.exit === undefined) ? [`the job ${id} has not ended`] : []),
    ])
  }

  #add(id: string, script: string, doing: Doing): Job {
    const job = { script, doing, generations: [], cancelled: this.#barred.has(id), runs: 0 }
    this.#jobs.set(id, job)
    return job
  }

  #mayFollow({ generations }: Job, generation: number): boolean {
    return generation === 1 || generations[generation - 2]?.verdict === 'again'
  }

  #spawn(job: Job, token: number): void {
    const generation: Generation = { token, stdout: '' }
    job.generations.push(generation)
    setTimeout(() => {
      if (generation.exit !== undefined) return
      if (job.cancelled) generation.exit = 'cancelled'
      else if (!this.input.inForce(token)) generation.exit = 'fenced'
      else {
        job.runs += 1
        const { status, stdout } = this.input.run(job.doing)
        Object.assign(generation, { exit: String(status), stdout })
      }
    }, this.input.lasts(job.doing))
  }

  #end(job: Job): void {
    job.cancelled = true
    const last = job.generations.at(-1)
    if (last) last.exit ??= 'cancelled'
  }
}
