// One act on one target: what it may use, and the names of what it leaves on the host.

import { Context } from '@temporalio/activity'
import { CancelledFailure } from '@temporalio/common'
import { findTarget } from '../config/load.js'
import type { Target } from '../config/schema.js'
import type { Holder, Host } from '../adapters/host.js'
import type { SshConnection } from '../adapters/ssh.js'
import type { ComposeStack } from '../commands/compose.js'
import type { ActName } from '../plan/act.js'
import { StepbackError } from '../plan/failure.js'
import { type LedgerEntry, type RunId, runDigits } from '../plan/ledger.js'
import type { Shown } from '../plan/plan.js'
import type { ActInput } from './act-input.js'
import type { Deps } from './deps.js'
import { cancelSignal } from './stopping.js'

export interface JobOptions {
  /** Names how to end what leaves the process group: children of docker exec, database sessions. */
  readonly ending?: string
  /** Asked when nobody recorded how the job ended: is what it should do done? */
  readonly holds?: () => Promise<boolean>
}

/** For jobs that leave the same state however often they run: one of unknown end is simply done again. */
export const doneAgain = async (): Promise<boolean> => false

export class ActContext {
  readonly token: number
  readonly origin: RunId
  readonly safety: string
  readonly run: RunId
  /** Aborted when the run is cancelled. */
  readonly signal = cancelSignal()
  #begun: Promise<void> = Promise.resolve()

  static async open(deps: Deps, input: ActInput<ActName>): Promise<ActContext> {
    const target = findTarget(deps.config, input.target)
    return new ActContext(deps, target, deps.hosts.host(target), await deps.hosts.ssh(target), input)
  }

  private constructor(
    readonly deps: Deps,
    readonly target: Target,
    readonly host: Host,
    readonly ssh: SshConnection,
    private readonly input: ActInput<ActName>,
  ) {
    this.token = input.token
    this.origin = input.origin
    this.safety = input.safety
    this.run = ownRun()
  }

  get stack(): ComposeStack {
    return composeStack(this.target)
  }

  /** The origin's part of the names of its databases and staging directories. */
  get run8(): string {
    return runDigits(this.origin)
  }

  get shown(): Shown {
    return this.input.shown ?? {}
  }

  /** Whether this act is part of an undo, which does nothing where nothing was done. */
  get undoing(): boolean {
    return this.input.undo > 0
  }

  /** The origin's operation in the journal of database work, under the token that is in force. */
  get operation(): { readonly target: string; readonly token: number; readonly id: string } {
    return { target: this.target.name, token: this.token, id: this.run8 }
  }

  get staging(): string {
    return `${this.host.stateDirectory}/staging/${this.run8}`
  }

  get backups(): string {
    return this.target.backups
  }

  /** A restore point by id; `safety` is the one that the origin takes. */
  restorePoint(ref: string): string {
    return ref === 'safety' ? this.safety : ref
  }

  async ensureLease(): Promise<void> {
    await this.host.renew({ token: this.token, holder: this.holder })
  }

  get holder(): Holder {
    return holderOf(this.deps)
  }

  /** Nothing is done under a lease that is another's, and nothing before the ledger says so: both in one call. */
  begin(act: ActName): void {
    this.#begun = this.#record('start', { act }, this.holder)
    this.#begun.catch(() => undefined) // told to whoever awaits it
  }

  /** Awaited before the first change, by a job for itself: the ledger has the start, under a lease that is this run's. */
  get begun(): Promise<void> {
    return this.#begun
  }

  async end(what: { act: ActName; outcome: 'done' | 'failed'; detail?: string }): Promise<void> {
    await this.#record('end', what)
  }

  /** An entry of the ledger beside those of its steps; once for a token, whoever tries again. */
  async mark(entry: LedgerEntry): Promise<void> {
    const id = [this.run.runId, this.origin.runId, this.token, entry.kind].join('.')
    await this.host.appendLedger({ token: this.token, id, entry })
  }

  /** Runs a script on the host as a job of this act, exactly once over all attempts; returns what it printed. */
  async job(name: string, script: string, options: JobOptions = {}): Promise<string> {
    await this.#begun
    const id = this.#jobId(name, this.input.undo, this.input.attempt)
    const outcome = await this.host.runJob({ id, token: this.token, script, signal: this.signal, ...options })
    if (outcome.outcome === 'done') return ''
    if (outcome.outcome === 'exited') {
      if (outcome.exitCode === 0) return outcome.stdout
      throw new StepbackError({
        type: 'StepFailed',
        message: `${name} ended with exit status ${outcome.exitCode}${said(outcome.stderr)}`,
        hint: `what it printed is on the host: ${outcome.files.err}`,
        details: { exitCode: outcome.exitCode },
      })
    }
    if (this.signal.aborted) throw new CancelledFailure(`${name} was cancelled`)
    await this.ensureLease()
    throw new StepbackError({ type: 'StepFailed', message: `${name} was ${outcome.outcome} on the host` })
  }

  /** Ends the jobs of this step's do, all tries of them, so that none acts behind the undo. */
  async sealDo(jobs: readonly string[]): Promise<void> {
    if (this.origin.runId !== this.run.runId) return // the take-over of the lease ended every job of older tokens
    for (const name of jobs) {
      for (let attempt = 1; attempt <= this.input.attempt; attempt++) {
        await this.host.cancelJob({ id: this.#jobId(name, 0, attempt), token: this.token })
      }
    }
  }

  /** Ends jobs of this act that an attempt before this one may have left, and keeps them from ever starting. */
  async endJobs(names: readonly string[]): Promise<void> {
    const { undo, attempt } = this.input
    for (const name of names) await this.host.cancelJob({ id: this.#jobId(name, undo, attempt), token: this.token })
  }

  /** An entry of this act's own, once for each of its attempts. */
  async appendLedger(entry: LedgerEntry): Promise<void> {
    const { step, attempt } = this.input
    const id = [this.run.runId, this.token, step, attempt, entry.kind].join('.')
    await this.host.appendLedger({ token: this.token, id, entry })
  }

  /** What a look printed; a look that fails has not been able to look. */
  async look(script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.host.look({ script, signal: this.signal })
    if (exitCode === 0) return stdout
    throw new StepbackError({
      type: 'StepFailed',
      message: `a look at the host ended with exit status ${exitCode}${said(stderr)}`,
    })
  }

  async #record(
    kind: 'start' | 'end',
    what: { act: ActName; outcome?: 'done' | 'failed'; detail?: string },
    holder?: Holder,
  ): Promise<void> {
    const { step, undo, attempt } = this.input
    const entry = { kind, run: this.origin, step, undo: undo > 0, ...what } as LedgerEntry
    const id = [this.run.runId, this.origin.runId, this.token, step, undo, attempt, kind, what.outcome ?? ''].join('.')
    await this.host.appendLedger({ token: this.token, id, entry, holder })
  }

  #jobId(name: string, undo: number, attempt: number): string {
    const debt = this.origin.runId === this.run.runId ? '' : `${this.run8}.`
    const part = undo > 0 ? `undo${undo}` : 'do'
    return `${runDigits(this.run)}.${debt}${this.input.step}-${this.input.stepName}.${part}.${attempt}.${name}`
  }
}

export function composeStack(target: Target): ComposeStack {
  return { directory: target.directory, ...target.compose }
}

export function ownRun(): RunId {
  const { workflowExecution } = Context.current().info
  if (!workflowExecution) throw new Error('an act runs only as an activity of a workflow')
  return { workflowId: workflowExecution.workflowId, runId: workflowExecution.runId }
}

/** Who holds the lease, told by the run that this activity belongs to, or its rehearsal. */
export function holderOf(deps: Deps, rehearses = false): Holder {
  const kind = Context.current().info.workflowType?.replace(/Workflow$/, '') as Holder['kind']
  return { ...ownRun(), ...(rehearses ? { rehearses } : {}), namespace: deps.namespace, kind }
}

/** Scripts of ours mark what is safe to repeat; everything else a program printed may hold a secret and stays there. */
export function said(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.startsWith('stepback: '))
  return lines.length > 0 ? `: ${lines.map((line) => line.slice('stepback: '.length)).join('; ')}` : ''
}
