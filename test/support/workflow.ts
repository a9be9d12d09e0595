// Runs of the real workflows on a server that skips time, with activities that only record what they were asked.

import { Context } from '@temporalio/activity'
import {
  type Client,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import { ApplicationFailure, CancelledFailure, SearchAttributeType } from '@temporalio/common'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { inject } from 'vitest'
import type { StepbackActivities } from '../../src/activities/index.js'
import type { ActInput } from '../../src/activities/act-input.js'
import type { ActName } from '../../src/plan/act.js'
import type { FailureType } from '../../src/plan/failure.js'
import type { GuardView } from '../../src/plan/guard.js'
import type { Plan } from '../../src/plan/plan.js'
import type { Phase, Progress, RunResult } from '../../src/plan/progress.js'

type Name = keyof StepbackActivities
type Behaviour = (input: any) => unknown

export interface Call {
  readonly name: Name
  readonly input: any
}

/** Every activity by its name: a missing one does not compile. */
const names: Readonly<Record<Name, true>> = {
  plan: true,
  runChecks: true,
  observeEnd: true,
  acquireLease: true,
  keepLease: true,
  recordPlan: true,
  closeDebt: true,
  finishRun: true,
  readGuardRequest: true,
  watchTarget: true,
  checkSignature: true,
  sendNotice: true,
  recordAudit: true,
  takeRestorePoint: true,
  proveRestorePoint: true,
  dropUnprovenCopy: true,
  dropCopies: true,
  setPins: true,
  pruneRestorePoints: true,
  archiveMemories: true,
  pruneArchives: true,
  restoreMemories: true,
  keepMigrations: true,
  adoptMigrations: true,
  keepImages: true,
  putFiles: true,
  recreateDatabase: true,
  restoreFiles: true,
  buildImages: true,
  restoreImages: true,
  listContainers: true,
  recordStop: true,
  recordStart: true,
  fenceDatabase: true,
  askDatabase: true,
  giveVerdict: true,
  measureMemory: true,
  restartService: true,
  useSmallerModel: true,
  putEnvironmentBack: true,
  measureDisk: true,
  removeContainers: true,
  removeImages: true,
  pruneBuildCache: true,
  removeVolumes: true,
  removeDumps: true,
  removeLogs: true,
  stopServices: true,
  removeServices: true,
  startServices: true,
  migrateUp: true,
  migrateDown: true,
  restoreDatabase: true,
  rehearseCarry: true,
  carryForward: true,
  swapDatabase: true,
  swapDatabaseBack: true,
  dropNewDatabase: true,
  checkHealth: true,
  checkVersion: true,
  watchHealth: true,
  collectLogs: true,
  runHook: true,
  endHook: true,
}

const around = [
  'plan',
  'runChecks',
  'observeEnd',
  'acquireLease',
  'keepLease',
  'recordPlan',
  'closeDebt',
  'finishRun',
].concat(['readGuardRequest', 'watchTarget', 'checkSignature', 'sendNotice', 'recordAudit'])

type WorkflowType = 'deployWorkflow' | 'rollbackWorkflow' | 'backupWorkflow' | 'emergencyWorkflow' | 'guardWorkflow'

/** A stage for runs of one test file: one server, one worker, one set of fakes. */
export class Stage {
  readonly #env: TestWorkflowEnvironment
  readonly #makeWorker: () => Promise<Worker>
  #worker: Worker
  #running: Promise<void>
  #calls: Call[] = []
  #plan: Plan | undefined
  #behaviours = new Map<string, Behaviour>()
  #runs = 0
  #searchable = false

  static async open(): Promise<Stage> {
    quieten()
    const executable = { type: 'existing-path', path: inject('temporalTestServer') } as const
    return await Stage.#on(await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } }))
  }

  /** On the development server, which is a real one: no time is skipped, and it knows the search attributes. */
  static async openReal(install: () => unknown = quieten): Promise<Stage> {
    await install()
    const executable = { type: 'existing-path', path: inject('temporalCli') } as const
    const names = ['StepbackTarget', 'StepbackPhase', 'StepbackVersion', 'StepbackRestorePoint']
    const searchAttributes = names.map((name) => ({ name, type: SearchAttributeType.KEYWORD }))
    const stage = await Stage.#on(
      await TestWorkflowEnvironment.createLocal({ server: { executable, searchAttributes } }),
    )
    stage.#searchable = true
    return stage
  }

  static async #on(env: TestWorkflowEnvironment): Promise<Stage> {
    const stage: { calls?: (name: Name, input: unknown) => Promise<unknown> } = {}
    const activities = Object.fromEntries(
      Object.keys(names).map((name) => [name, (input: unknown) => stage.calls!(name as Name, input)]),
    )
    const makeWorker = () =>
      Worker.create({
        connection: env.nativeConnection,
        taskQueue: 'stepback',
        workflowBundle: { codePath: inject('workflowBundlePath') },
        activities,
        // A cancel reaches a fake with its next heartbeat.
        maxHeartbeatThrottleInterval: '50ms',
        defaultHeartbeatThrottleInterval: '50ms',
        shutdownGraceTime: '1s',
        // So long the server keeps work for a worker that is gone.
        stickyQueueScheduleToStartTimeout: '1s',
      })
    const opened = new Stage(env, makeWorker, await makeWorker())
    stage.calls = (name, input) => opened.#call(name, input)
    return opened
  }

  private constructor(env: TestWorkflowEnvironment, makeWorker: () => Promise<Worker>, worker: Worker) {
    this.#env = env
    this.#makeWorker = makeWorker
    this.#worker = worker
    this.#running = worker.run()
  }

  get client(): Client {
    return this.#env.client
  }

  async close(): Promise<void> {
    await this.#stopWorker()
    await this.#env.teardown()
  }

  async #stopWorker(): Promise<void> {
    this.#worker.shutdown()
    await this.#running
  }

  /** Does it while there is no worker. */
  async withoutWorker(work: () => Promise<void>): Promise<void> {
    await this.#stopWorker()
    await work()
    this.#worker = await this.#makeWorker()
    this.#running = this.#worker.run()
  }

  /** Forgets what was recorded and what was to happen, and plans `plans`, one at each look, the last for ever. */
  reset(...plans: readonly Plan[]): void {
    this.#calls = []
    this.#plan = plans.at(-1)
    this.#behaviours = new Map()
    let looks = 0
    this.on('plan', () => ({ plan: plans[Math.min(looks++, plans.length - 1)], searchable: this.#searchable }))
    this.on('acquireLease', () => ({ token: 7, run: ownRun(), debts: [] }))
    this.on('observeEnd', () => [{ check: 'api', healthy: true, detail: 'ok' }])
  }

  /** What an activity does. `undo: true` is for the act as part of an undo. */
  on(name: Name, behaviour: Behaviour, options: { readonly undo?: boolean } = {}): void {
    this.#behaviours.set(keyOf(name, options.undo === true), behaviour)
  }

  async start(type: WorkflowType, request: unknown, id = `run-${++this.#runs}`): Promise<Run> {
    return await this.startAs(`${type}-${id}`, type, request)
  }

  /** Under a workflow id that others know it by. */
  async startAs(workflowId: string, type: WorkflowType, request: unknown): Promise<Run> {
    const handle = await this.#env.client.workflow.start(type, { args: [request], taskQueue: 'stepback', workflowId })
    return new Run(handle, () => this.all)
  }

  /** Where other programs reach the server. */
  get address(): string {
    return this.#env.address
  }

  /** The first run of a workflow that continued as new. */
  earlier(run: Run): Run {
    const { workflowId, firstExecutionRunId } = run.handle as WorkflowHandleWithFirstExecutionRunId
    return new Run(this.#env.client.workflow.getHandle(workflowId, firstExecutionRunId), () => this.all)
  }

  async cancel(workflowId: string): Promise<void> {
    await this.#env.client.workflow.getHandle(workflowId).cancel()
  }

  /** How a run stands; nothing where there is none. */
  async statusOf(workflowId: string): Promise<string | undefined> {
    const described = await this.#env.client.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => undefined)
    return described?.status.name
  }

  /** Waits for the end of another workflow, time skipping on. */
  async ended(workflowId: string): Promise<void> {
    await this.#env.client.workflow.getHandle(workflowId).result()
  }

  calls(name: Name): any[] {
    return this.#calls.filter((call) => call.name === name).map((call) => call.input)
  }

  /** The acts in their order: `putFiles`, and `undo restoreFiles` for acts of an undo. */
  get acts(): string[] {
    return this.#inOrder
      .filter((call) => !around.includes(call.name))
      .map((call) => keyOf(call.name, call.input.undo > 0))
  }

  /** Everything in its order, the activities around the steps, too. */
  get all(): string[] {
    return this.#inOrder.map((call) => keyOf(call.name, call.input?.undo > 0))
  }

  /** Of those that were asked for at the same time, the one that the plan has first comes first. */
  get #inOrder(): readonly Call[] {
    return this.#calls.reduce<readonly Call[]>((ordered, call) => {
      let at = ordered.length
      while (at > 0 && this.#besides(call, ordered[at - 1]!)) at -= 1
      return ordered.toSpliced(at, 0, call)
    }, [])
  }

  /** Whether the plan lets the later one, which is the look at the end or a step, go on beside the earlier one. */
  #besides({ input: { step, undo } = {} as any }: Call, later: Call): boolean {
    if (undo !== 0) return false
    if (later.name === 'observeEnd') return this.#plan?.steps[step]?.background === true
    const between = this.#plan?.steps.slice(step + 1, later.input?.step + 1) ?? []
    return later.input?.undo === 0 && between.length > 0 && between.every((it) => it.beside)
  }

  /** Sleeps in the server's time. */
  async sleep(duration: string): Promise<void> {
    await this.#env.sleep(duration)
  }

  async #call(name: Name, input: unknown): Promise<unknown> {
    this.#calls.push({ name, input })
    const behaviour = this.#behaviours.get(keyOf(name, (input as ActInput<ActName>).undo > 0))
    if (behaviour) return await behaviour(input)
    return around.includes(name) ? undefined : { detail: null, attempts: 1 }
  }
}

/** One run, as its operator sees it. */
export class Run {
  constructor(
    readonly handle: WorkflowHandle,
    private readonly calls: () => readonly string[],
  ) {}

  async progress(): Promise<Progress | RunResult> {
    return await this.handle.query<Progress | RunResult>('progress')
  }

  async guard(): Promise<GuardView> {
    return await this.handle.query<GuardView>('guard')
  }

  /** Waits in real time, so no deadline passes meanwhile. */
  async until(phase: Phase): Promise<Progress> {
    for (let round = 0; round < 400; round++) {
      const progress = await this.progress()
      if (progress.phase === phase && (await this.#isSettled())) return progress
      if (progress.finishedAt !== null) throw new Error(`ended as ${progress.phase} before it was ${phase}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error(`was not ${phase} in time; it is ${(await this.progress()).phase}`)
  }

  /**
   * At a gate under the lease: the fake that keeps it has ended. Answered before, its cancel and its start would cross,
   * and the server that skips time then delivers neither of the two.
   */
  async #isSettled(): Promise<boolean> {
    const calls = this.calls()
    if (calls.lastIndexOf('acquireLease') <= calls.lastIndexOf('finishRun')) return true
    if (calls.at(-1) !== 'keepLease') return false
    await new Promise((resolve) => setTimeout(resolve, 100))
    return true
  }

  async answer(name: 'approve' | 'reject' | 'resolve', input: unknown): Promise<unknown> {
    return await this.handle.executeUpdate(name, { args: [input] })
  }

  /** The reason why an answer was refused. */
  async refusal(
    name: 'approve' | 'reject' | 'resolve',
    input: unknown,
  ): Promise<{ readonly type: string; readonly message: string }> {
    try {
      await this.answer(name, input)
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
        return { type: error.cause.type ?? '', message: error.cause.message }
      }
      throw error
    }
    throw new Error('the answer was not refused')
  }

  /** Waits for the end, time skipping on. */
  async result(): Promise<RunResult> {
    return (await this.handle.result()) as RunResult
  }

  async failure(): Promise<{ readonly type: string; readonly message: string; readonly details: RunResult }> {
    try {
      await this.handle.result()
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error
      const { cause } = error
      if (cause instanceof CancelledFailure)
        return { type: 'Cancelled', message: '', details: (await this.progress()) as RunResult }
      if (!(cause instanceof ApplicationFailure)) throw error
      return { type: cause.type ?? '', message: cause.message, details: cause.details?.[0] as RunResult }
    }
    throw new Error('the run did not fail')
  }
}

export function fail(type: FailureType, message = `${type} it was`, details?: unknown): Behaviour {
  return () => {
    throw ApplicationFailure.create({
      type,
      message,
      nonRetryable: true,
      ...(details === undefined ? {} : { details: [details] }),
    })
  }
}

/** Each failure once, then done. */
export function failTimes(times: number, type: FailureType): Behaviour {
  let left = times
  return () => (left-- > 0 ? fail(type)(undefined) : { detail: 'at last', attempts: 1 })
}

/** Works until it is cancelled, with a heartbeat; `started` is called once it works. */
export function untilCancelled(started: () => unknown = () => undefined): (input?: unknown) => Promise<unknown> {
  return async () => {
    const context = Context.current()
    const beat = setInterval(() => context.heartbeat(), 40)
    try {
      await started()
      return await context.cancelled
    } finally {
      clearInterval(beat)
    }
  }
}

export function ownRun(): { workflowId: string; runId: string } {
  const { workflowId, runId } = Context.current().info.workflowExecution!
  return { workflowId, runId }
}

function quieten(): void {
  const logging = { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } as const
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } })
}

function keyOf(name: string, undo: boolean): string {
  return undo ? `undo ${name}` : name
}
