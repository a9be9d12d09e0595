// The typed client: what the command line uses, and what other programs build on.

import {
  Client,
  type Connection,
  type WorkflowHandle,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { TerminatedFailure } from '@temporalio/common'
import { type Answered, answer } from './client/answer.js'
import { Archive } from './client/archive.js'
import { type Address, type ConnectTo, openConnection, resolveAddress } from './client/connection.js'
import { type FollowOptions, follow } from './client/follow.js'
import { Histories } from './client/histories.js'
import { guardName, runName, summaryOf } from './client/naming.js'
import { type OpenRun, openRuns } from './client/open-runs.js'
import { type Outcome, outcomeOf } from './client/outcome.js'
import { recordedPlan } from './client/run-history.js'
import { type ServerFacts, serverFacts } from './client/server.js'
import { alignSchedules } from './client/schedules.js'
import { sign } from './client/sign.js'
import { ensureNoCredentials } from './plan/credentials.js'
import { StepbackError } from './plan/failure.js'
import type { Approve, Reject, Resolve } from './plan/gate.js'
import type { GuardPolicy, GuardView } from './plan/guard.js'
import type { Plan, RunKind } from './plan/plan.js'
import type { Progress } from './plan/progress.js'
import type { Health } from './plan/reports.js'
import type { Change, Schedule } from './plan/schedules.js'
import type { BackupRequest, DeployRequest, EmergencyRequest, RollbackRequest } from './plan/request.js'

export type {
  Answered,
  Approve,
  Change,
  ConnectTo,
  FollowOptions,
  GuardPolicy,
  GuardView,
  Health,
  Histories,
  OpenRun,
  Outcome,
  Plan,
  Progress,
  Reject,
  Resolve,
  RunKind,
  ServerFacts,
}
export { StepbackError }
export type { FailureType } from './plan/failure.js'
export type { OpenGate, Phase, RunResult, StepProgress } from './plan/progress.js'

/** What `deployWorkflow` takes; defaults are filled in by the worker. */
export type DeployInput = Pick<DeployRequest, 'target' | 'version'> & Partial<DeployRequest>
/** What `rollbackWorkflow` takes; the target alone goes back to the last good release. */
export type RollbackInput = Pick<RollbackRequest, 'target'> & Partial<RollbackRequest>

/** What `backupWorkflow` takes; the target alone takes a restore point. */
export type BackupInput = Pick<BackupRequest, 'target'> & Partial<BackupRequest>

/** What `emergencyWorkflow` takes; nobody approves it, so it needs a reason. */
export type EmergencyInput = Pick<EmergencyRequest, 'target' | 'procedure' | 'reason'> & Partial<EmergencyRequest>

/** One connection to one namespace; every `run` is a workflow id, and means the newest run of that id. */
export class StepbackClient {
  /** `Unreachable` where no server answers. */
  static async connect(to: ConnectTo = {}): Promise<StepbackClient> {
    const address = resolveAddress(to)
    return new StepbackClient(await openConnection(address), address, to.taskQueue ?? 'stepback')
  }

  readonly address: string
  readonly namespace: string
  readonly means: readonly string[]
  readonly #client: Client
  readonly #answersWithinMs: number

  private constructor(
    private readonly connection: Connection,
    { address, namespace, means, answersWithinMs }: Address,
    readonly taskQueue: string,
  ) {
    this.address = address
    this.namespace = namespace
    this.means = means
    this.#answersWithinMs = answersWithinMs
    this.#client = new Client({ connection, namespace })
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  /** Starts a deploy and returns its run. */
  async startDeploy(request: DeployInput): Promise<string> {
    return await this.#start('deploy', request)
  }

  /** Starts a rollback and returns its run. */
  async startRollback(request: RollbackInput): Promise<string> {
    return await this.#start('rollback', request)
  }

  /** Starts a backup, or what keeps restore points in order, and returns its run. */
  async startBackup(request: BackupInput): Promise<string> {
    return await this.#start('backup', request)
  }

  /** Starts an emergency procedure, which takes the lease from whoever has it, and returns its run. */
  async startEmergency(request: EmergencyInput): Promise<string> {
    return await this.#start('emergency', request)
  }

  /** Starts the guard of a target; one that watches already goes on as it is. */
  async startGuard(request: {
    readonly target: string
    readonly policy?: GuardPolicy
  }): Promise<'started' | 'watches'> {
    try {
      const workflowId = guardName(request.target)
      const staticSummary = `guard of ${request.target}`
      await this.#client.workflow.start('guardWorkflow', {
        workflowId,
        taskQueue: this.taskQueue,
        args: [request],
        staticSummary,
      })
      return 'started'
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'watches'
      throw error
    }
  }

  /** Ends the guard of a target; a rollback that it started goes on. */
  async stopGuard(target: string): Promise<void> {
    await this.#withGuard(target, (guard) => guard.cancel())
  }

  /** Tells the guard of a target how it is, as any program may. */
  async reportHealth(target: string, health: Health): Promise<void> {
    await this.#withGuard(target, (guard) => guard.signal('health', health))
  }

  /** What the guard of a target sees, and what it did; a worker must be up. */
  async guard(target: string): Promise<GuardView> {
    return await this.#withGuard(target, (guard) => guard.query<GuardView>('guard'))
  }

  /** How the schedules of these targets differ from `wanted`; with `apply` they are made so. */
  async alignSchedules(input: {
    readonly targets: readonly string[]
    readonly wanted: readonly Schedule[]
    readonly apply: boolean
  }): Promise<Change[]> {
    return await alignSchedules(this.#client, input)
  }

  /** With a private key, an Ed25519 one in PEM, it is signed; a worker must be up then. */
  async approve(run: string, input: Approve, options: { readonly key?: string } = {}): Promise<Answered> {
    const { key } = options
    const signature = key === undefined ? {} : { signature: sign(run, input, await this.progress(run), key) }
    return await this.#answer('approve', run, { ...input, ...signature })
  }

  async reject(run: string, input: Reject): Promise<Answered> {
    return await this.#answer('reject', run, input)
  }

  async resolve(run: string, input: Resolve): Promise<Answered> {
    return await this.#answer('resolve', run, input)
  }

  /** What the run shows of itself; a worker must be up. */
  async progress(run: string): Promise<Progress> {
    return await this.#within(() => this.#handle(run).query<Progress>('progress'))
  }

  /** The newest plan of the run, with its undos, from history; no worker is needed. */
  async plan(run: string): Promise<Plan | undefined> {
    return await recordedPlan(await this.#handle(run).fetchHistory(), this.#client.options.loadedDataConverter)
  }

  /** Histories of runs, those that a worker keeps in this directory of this machine included. */
  histories(directory: string): Histories {
    return new Histories(this.#client, this.taskQueue, new Archive(directory))
  }

  /** Waits for the end. A run that was reset is ended by Temporal and goes on under the same id: so does the wait. */
  async result(run: string): Promise<Outcome> {
    for (;;) {
      try {
        return { outcome: 'done', result: await this.#handle(run).result() }
      } catch (error) {
        const reset = (error as Error).cause instanceof TerminatedFailure && (await this.isOpen(run))
        if (!reset) return outcomeOf(this.#known(error, run))
      }
    }
  }

  /** Every change of a run until it ends, across restarts of workers and short absences of the server. */
  follow(run: string, options: FollowOptions = {}): AsyncGenerator<Progress, void> {
    return follow({ isOpen: () => this.isOpen(run), progress: () => this.progress(run) }, options)
  }

  async isOpen(run: string): Promise<boolean> {
    try {
      const { status } = await this.#within(() => this.#handle(run).describe())
      return status.name === 'RUNNING' || status.name === 'PAUSED'
    } catch (error) {
      throw this.#known(error, run)
    }
  }

  /** Runs of this task queue that have not ended, oldest first, each with what it shows. */
  async openRuns(): Promise<OpenRun[]> {
    return await openRuns(this.#client, this.taskQueue, (run) => this.progress(run))
  }

  /** What the server says of itself, of the namespace and of its search attributes. */
  async server(): Promise<ServerFacts> {
    return await this.#within(() => serverFacts(this.connection, this.namespace))
  }

  /** How many workers have asked for work in the last minute; with a name, only those of that machine. */
  async workers(machine?: string): Promise<number> {
    const { pollers } = await this.connection.workflowService.describeTaskQueue({
      namespace: this.namespace,
      taskQueue: { name: this.taskQueue },
      taskQueueType: 1,
    })
    const recent = Date.now() / 1_000 - 70 // a poll that finds nothing ends after a minute
    const own = (identity: string) => machine === undefined || identity.endsWith(`@${machine}`)
    return (pollers ?? []).filter((it) => own(it.identity ?? '') && Number(it.lastAccessTime?.seconds ?? 0) > recent)
      .length
  }

  /** Two runs of one second would share a name, and a closed run keeps its own: the later one has that of the next. */
  async #start(kind: RunKind, request: DeployInput | RollbackInput | BackupInput | EmergencyInput): Promise<string> {
    ensureNoCredentials(request)
    const now = Date.now()
    for (let tries = 1; ; tries++) {
      const at = new Date(now + (tries - 1) * 1_000)
      const workflowId = runName({ kind, target: request.target, at })
      try {
        await this.#client.workflow.start(`${kind}Workflow`, {
          workflowId,
          taskQueue: this.taskQueue,
          args: [request],
          staticSummary: summaryOf({ kind, ...request }),
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
        })
        return workflowId
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError) || tries === 5) throw error
      }
    }
  }

  async #answer(name: 'approve' | 'reject' | 'resolve', run: string, argument: object): Promise<Answered> {
    ensureNoCredentials(argument)
    return await answer({ handle: this.#handle(run), name, argument, within: (call) => this.#within(call) })
  }

  async #withGuard<T>(target: string, call: (guard: WorkflowHandle) => Promise<T>): Promise<T> {
    const name = guardName(target)
    try {
      if (await this.isOpen(name)) return await this.#within(() => call(this.#handle(name)))
    } catch (error) {
      if (!(error instanceof StepbackError)) throw error
    }
    throw new StepbackError({
      type: 'InvalidRequest',
      message: `target "${target}" has no guard that runs`,
      hint: `start it: stepback guard ${target} start`,
    })
  }

  #handle(run: string): WorkflowHandle {
    return this.#client.workflow.getHandle(run)
  }

  async #within<T>(call: () => Promise<T>): Promise<T> {
    return await this.connection.withDeadline(Date.now() + this.#answersWithinMs, call)
  }

  #known(error: unknown, run: string): unknown {
    if (!(error instanceof WorkflowNotFoundError)) return error
    return new StepbackError({
      type: 'InvalidRequest',
      message: `there is no run "${run}" in namespace "${this.namespace}"`,
      hint: 'list what is open: stepback status.',
    })
  }
}
