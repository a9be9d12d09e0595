// The server that skips time, and one worker with the real workflows, for as many deploys as it has memory for.

import { Client } from '@temporalio/client'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { temporalTestServer } from '../../sandbox/install/temporal.js'
import { actActivities } from '../../src/activities/act.js'
import { createActivities } from '../../src/activities/index.js'
import { catalogue } from './acts.js'
import { World } from './deps.js'
import { knowingThemselves } from './doing.js'
import { simulatedPlanning } from './planning.js'

const taskQueue = 'stepback'

export class Stage {
  readonly world: World
  readonly #env: TestWorkflowEnvironment
  readonly #client: Client
  readonly #worker: Worker
  readonly #running: Promise<void>

  static async open(workflowBundle: string): Promise<Stage> {
    quieten()
    const executable = { type: 'existing-path', path: await temporalTestServer() } as const
    const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } })
    const world = new World()
    const { deps } = world
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowBundle: { codePath: workflowBundle },
      activities: knowingThemselves({
        ...createActivities(deps),
        ...actActivities(deps, catalogue),
        ...simulatedPlanning(deps),
      }),
      maxConcurrentActivityTaskExecutions: 200,
      shutdownGraceTime: '1s',
    })
    // Once for all of them: each run that is waited for would else unlock it by itself, and the server counts.
    await env.connection.testService!.unlockTimeSkipping({})
    return new Stage(env, worker, world)
  }

  private constructor(env: TestWorkflowEnvironment, worker: Worker, world: World) {
    this.#env = env
    this.#client = new Client({ connection: env.connection })
    this.#worker = worker
    this.#running = worker.run()
    this.world = world
  }

  get client(): Client {
    return this.#client
  }

  async start(target: string) {
    const request = { target, version: '2.0.0', release: '/releases/2.0.0' }
    return await this.client.workflow.start('deployWorkflow', { args: [request], taskQueue, workflowId: target })
  }

  async close(): Promise<void> {
    this.#worker.shutdown()
    await this.#running
    await this.#env.teardown()
  }
}

let quiet = false

/** Once in a process. Thousands of runs that fail as they should are nothing to read about. */
function quieten(): void {
  if (quiet) return
  quiet = true
  const logging = { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } as const
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging } })
}
