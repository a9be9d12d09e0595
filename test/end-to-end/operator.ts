// An operator at the sandbox: the `temporal` CLI for all that is done, the application's own answers, and PostgreSQL from
// outside. What is asked over and over is asked without a program, whose start costs more than the answer.

import { execFile, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client, Connection, type WorkflowExecutionDescription } from '@temporalio/client'
import pg from 'pg'
import type { Progress, RunResult } from '../../src/plan/progress.js'
import type { Sandbox } from '../../sandbox/index.js'

export interface Ended {
  /** `done`, or the type of the failure. */
  readonly outcome: string
  readonly message: string
  readonly result: RunResult
}

/** Everybody who is at a sandbox here. */
export const operators: Operator[] = []

export class Operator {
  readonly #client: Client

  constructor(readonly sandbox: Sandbox) {
    const { address, namespace } = sandbox.temporal
    this.#client = new Client({ connection: Connection.lazy({ address }), namespace })
    operators.push(this)
  }

  /** `temporal <words>` against the sandbox's server, parsed as JSON. */
  async temporal(...words: string[]): Promise<unknown> {
    const { address, namespace, cli } = this.sandbox.temporal
    const more = ['--address', address, '--namespace', namespace, '--output', 'json']
    const { stdout } = await promisify(execFile)(cli, [...words, ...more], { maxBuffer: 256 * 1024 * 1024 })
    return stdout.trim() === '' ? null : JSON.parse(stdout)
  }

  /** What a command of the CLI prints. */
  async stepback(...words: string[]): Promise<string> {
    const [program, main] = this.sandbox.processes.worker!.command
    const all = [main!, ...words, '--config', this.sandbox.config]
    const { stdout, stderr } = await promisify(execFile)(program!, all)
    return `${stdout}${stderr}`
  }

  /** How a command of the CLI that has to fail ends, and what it says. */
  async refusal(...words: string[]): Promise<{ readonly code: number; readonly stderr: string }> {
    try {
      return { code: 0, stderr: await this.stepback(...words) }
    } catch (error) {
      const { code, stderr } = error as { readonly code: number; readonly stderr: string }
      return { code, stderr }
    }
  }

  /** Starts a run exactly as the contract writes it. */
  async start(
    type: 'deployWorkflow' | 'rollbackWorkflow' | 'emergencyWorkflow',
    run: string,
    input: object,
    queue = 'stepback',
  ): Promise<void> {
    const words = ['--task-queue', queue, '--type', type, '--workflow-id', run, '--input', JSON.stringify(input)]
    await this.temporal('workflow', 'start', ...words)
  }

  async progress(run: string): Promise<Progress> {
    return await this.ask(run, 'progress')
  }

  /** What a query of a workflow answers. */
  async ask<T>(run: string, query: string): Promise<T> {
    return await this.#soon(() => this.#client.workflow.getHandle(run).query<T>(query))
  }

  /** The run's present run id, after a reset another than at first; asked for until the server answers. */
  async runId(run: string): Promise<string> {
    const deadline = Date.now() + 60_000
    for (;;) {
      try {
        return (await this.#describe(run)).runId
      } catch (error) {
        if (Date.now() > deadline) throw error
        await sleep(500)
      }
    }
  }

  async #describe(run: string): Promise<WorkflowExecutionDescription> {
    return await this.#soon(() => this.#client.workflow.getHandle(run).describe())
  }

  /** A server may be gone, and a query waits for a worker. */
  async #soon<T>(question: () => Promise<T>): Promise<T> {
    return await this.#client.withDeadline(Date.now() + 10_000, question)
  }

  /** Waits until the run's progress is so, whatever worker answers meanwhile. */
  async until(run: string, wanted: (progress: Progress) => boolean): Promise<Progress> {
    return await this.untilAnswers(`run ${run} never came there`, () => this.progress(run), wanted)
  }

  /** Asks until the answer is so; what is not answered is asked again. */
  async untilAnswers<T>(
    late: string,
    ask: () => Promise<T>,
    wanted: (answer: T) => boolean,
    withinMs = 300_000,
  ): Promise<T> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const answer = await ask().catch(() => undefined)
      if (answer !== undefined && wanted(answer)) return answer
      if (Date.now() > deadline) throw new Error(`${late}: ${JSON.stringify(answer)}`)
      await sleep(100)
    }
  }

  /** The first run that a schedule started. */
  async startedBy(schedule: string): Promise<string> {
    const deadline = Date.now() + 60_000
    for (;;) {
      const { info } = (await this.temporal('schedule', 'describe', '--schedule-id', schedule)) as {
        readonly info: { readonly recentActions?: readonly Started[] }
      }
      const [started] = info.recentActions ?? []
      if (started) return started.startWorkflowResult.workflowId
      if (Date.now() > deadline) throw new Error(`${schedule} never started a run`)
      await sleep(200)
    }
  }

  /** The end of a run from its history. */
  async end(run: string): Promise<Ended> {
    // No worker is asked, which has enough to do.
    const status = async () => (await this.#describe(run)).status.name
    await this.untilAnswers(`run ${run} never ended`, status, (it) => it !== 'RUNNING')
    const last = (await this.#events(run)).at(-1)!
    const completed = last.workflowExecutionCompletedEventAttributes
    if (completed) return { outcome: 'done', message: '', result: decode(completed.result.payloads[0]!) }
    const failure = last.workflowExecutionFailedEventAttributes!.failure
    const { type = '', details } = failure.applicationFailureInfo ?? {}
    return { outcome: type, message: failure.message, result: decode(details!.payloads[0]!) }
  }

  /** Each activity of a run in order, with what ended its last attempt but one, such as `TIMEOUT_TYPE_HEARTBEAT`. */
  async activities(run: string): Promise<readonly { readonly name: string; readonly before: string }[]> {
    const events = await this.#events(run)
    return events.flatMap(({ activityTaskStartedEventAttributes: started }) => {
      if (!started) return []
      const scheduled = events.find(({ eventId }) => eventId === started.scheduledEventId)
      const name = scheduled!.activityTaskScheduledEventAttributes!.activityType.name
      return [{ name, before: started.lastFailure?.timeoutFailureInfo?.timeoutType ?? '' }]
    })
  }

  async #events(run: string): Promise<readonly Event[]> {
    const history = (await this.temporal('workflow', 'show', '--workflow-id', run)) as {
      readonly events: readonly Event[]
    }
    return history.events
  }

  /** Every history of the server as text, payloads decoded. */
  async histories(): Promise<string> {
    const list = (await this.temporal('workflow', 'list')) as readonly {
      readonly execution: { readonly workflowId: string }
    }[]
    const histories: unknown[] = []
    for (const { execution } of list) {
      histories.push(await this.temporal('workflow', 'show', '--workflow-id', execution.workflowId))
    }
    return JSON.stringify(histories, (key, value: unknown) =>
      key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
    )
  }

  async api(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.sandbox.api}${path}`, { ...init, signal: AbortSignal.timeout(5_000) })
    return (await answer.json()) as Record<string, unknown>
  }

  async query<T extends object>(text: string): Promise<T[]> {
    return await this.#ask<T>(this.sandbox.database, text)
  }

  /** The journal of database work. */
  async journal<T extends object>(text: string): Promise<T[]> {
    return await this.#ask<T>(this.sandbox.database.replace(/[^/]*$/, 'stepback'), text)
  }

  async #ask<T extends object>(connectionString: string, text: string): Promise<T[]> {
    const client = new pg.Client({ connectionString })
    await client.connect()
    try {
      return (await client.query<T>(text)).rows
    } finally {
      await client.end()
    }
  }

  /** A row of every table as the first release knows it, hashed: equal before and after means that nothing was lost. */
  async rows(): Promise<Record<string, string>> {
    const tables = ['sessions', 'messages', 'agent_state', 'scheduler_jobs', 'scheduler_history', 'pheromone_scores']
    const hashes = await Promise.all(
      tables.map(async (table) => {
        const row = `(to_jsonb(t) - 'engine_version' - 'agent_id')::text`
        const [found] = await this.query<{ hash: string }>(
          `select count(*) || ' ' || coalesce(md5(string_agg(${row}, '' order by ${row} collate "C")), '') as hash from ${table} t`,
        )
        return [table, found!.hash] as const
      }),
    )
    return Object.fromEntries(hashes)
  }

  async revision(): Promise<string> {
    const [row] = await this.query<{ name: string }>('select name from migrations order by id desc limit 1')
    return row!.name.replace(/\d{13}$/, '')
  }

  /** Restore points, newest first, as the command line lists them. */
  async points(): Promise<readonly { readonly id: string; readonly state: string }[]> {
    return JSON.parse(await this.stepback('restore-points', this.sandbox.target, '--json')) as never
  }

  async databases(): Promise<string[]> {
    const rows = await this.query<{ datname: string }>(
      'select datname from pg_database where not datistemplate order by 1',
    )
    return rows.map((row) => row.datname)
  }

  /** `kill -9`, and the same command again. */
  replaceWorker(): void {
    this.killWorker()
    this.startWorker()
  }

  killWorker(signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(this.#worker ?? this.sandbox.processes.worker!.pid, signal)
  }

  startWorker(): void {
    this.#worker = this.#start('worker')
  }

  /** `kill -9` of Temporal's server, and its command again. */
  replaceTemporal(): void {
    this.killTemporal()
    this.startTemporal()
  }

  killTemporal(): void {
    process.kill(this.sandbox.processes.temporal!.pid, 'SIGKILL')
  }

  startTemporal(): void {
    this.#start('temporal')
  }

  /** Over SSH, with no other program of ours. */
  async onHost(command: string): Promise<string> {
    const { host, port, user, identityFile } = this.sandbox.ssh
    const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']
    const words = ['-i', identityFile, '-p', String(port), ...known, `${user}@${host}`, command]
    return (await promisify(execFile)('ssh', words)).stdout
  }

  /** The command that the sandbox's own file says. */
  #start(name: 'worker' | 'temporal'): number {
    const { command, log } = this.sandbox.processes[name]!
    const [program, ...words] = command
    const out = openSync(log, 'a')
    const child = spawn(program!, words, { stdio: ['ignore', out, out], detached: true })
    closeSync(out)
    child.unref()
    setPriority(child.pid!, 0) // whoever starts it may be in a hurry
    return child.pid!
  }

  #worker: number | undefined

  /** Ends the worker that was started here: the sandbox does not know it. */
  stopWorker(): void {
    if (this.#worker) process.kill(this.#worker, 'SIGKILL')
    this.#worker = undefined
  }
}

/** The arguments of every process of this machine that can be read. */
export function processArguments(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .join('\n')
}

interface Started {
  readonly startWorkflowResult: { readonly workflowId: string }
}

interface Payload {
  readonly data: string
}

interface Event {
  readonly eventId: string
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { readonly name: string } }
  readonly activityTaskStartedEventAttributes?: {
    readonly scheduledEventId: string
    readonly lastFailure?: { readonly timeoutFailureInfo?: { readonly timeoutType: string } }
  }
  readonly workflowExecutionCompletedEventAttributes?: { readonly result: { readonly payloads: readonly Payload[] } }
  readonly workflowExecutionFailedEventAttributes?: {
    readonly failure: {
      readonly message: string
      readonly applicationFailureInfo?: {
        readonly type: string
        readonly details?: { readonly payloads: readonly Payload[] }
      }
    }
  }
}

function decode(payload: Payload): RunResult {
  return JSON.parse(Buffer.from(payload.data, 'base64').toString('utf8')) as RunResult
}
