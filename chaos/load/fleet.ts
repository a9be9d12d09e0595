// A real server, one worker in a process of its own, and a deploy of every target at once.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from '@temporalio/client'
import { SearchAttributeType } from '@temporalio/common'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { temporalCli } from '../../sandbox/install/temporal.js'
import { packageRoot } from '../../sandbox/paths.js'
import type { Ground } from './ground.js'

export interface Run {
  readonly target: string
  /** As the run says it. */
  readonly ended: string
  readonly events: number
  readonly seconds: number
  /** Of the worker, at the moment when this run had ended. */
  readonly megabytes: number
}

const sampleEveryMs = 250

export class Fleet {
  /** The most that the worker had at once. */
  peak = 0
  #now = 0

  /** In the order in which they ended. */
  static async deploy(ground: Ground, ended: (run: Run) => void): Promise<Fleet> {
    const executable = { type: 'existing-path', path: await temporalCli() } as const
    const names = ['StepbackTarget', 'StepbackPhase', 'StepbackVersion', 'StepbackRestorePoint']
    const searchAttributes = names.map((name) => ({ name, type: SearchAttributeType.KEYWORD }))
    const env = await TestWorkflowEnvironment.createLocal({
      server: { executable, searchAttributes, extraArgs: ['--log-level', 'never'] },
    })
    const worker = await startWorker(ground, env.address)
    const fleet = new Fleet()
    const gone = once(worker, 'exit')
    const sampling = setInterval(() => fleet.#sample(worker), sampleEveryMs)
    try {
      const all = fleet.#all(new Client({ connection: env.connection }), ground, ended)
      await Promise.race([all, gone.then(() => Promise.reject(new Error('the worker ended before the last run')))])
      return fleet
    } finally {
      clearInterval(sampling)
      worker.kill()
      await gone
      await env.teardown()
    }
  }

  async #all(client: Client, ground: Ground, told: (run: Run) => void): Promise<void> {
    const { release, targets } = ground
    await Promise.all(
      targets.map(async (target) => {
        const began = performance.now()
        const request = { target, version: '2.0.0', release }
        const options = { args: [request], taskQueue: 'stepback', workflowId: `deploy-${target}` }
        const handle = await client.workflow.start('deployWorkflow', options)
        const ended = await handle.result().then(
          () => 'done',
          (error: Error & { cause?: Error }) => error.cause?.message ?? error.message,
        )
        const { historyLength: events } = await handle.describe()
        const seconds = (performance.now() - began) / 1_000
        told({ target, ended, events, seconds, megabytes: this.#now })
      }),
    )
  }

  #sample({ pid, exitCode, signalCode }: ChildProcess): void {
    if (exitCode !== null || signalCode !== null) return
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
    this.#now = Math.round(Number(kilobytes) / 1_024)
    this.peak = Math.max(this.peak, this.#now)
  }
}

async function startWorker(ground: Ground, address: string): Promise<ChildProcess> {
  const words = [join(packageRoot(), 'dist/src/cli/main.js'), 'worker', '--config', ground.config]
  const env = { ...process.env, TEMPORAL_ADDRESS: address, STEPBACK_LOG_LEVEL: 'error' }
  const worker = spawn(process.execPath, words, { env, cwd: ground.root, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  worker.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
  while (!said.includes('ready')) {
    if (worker.exitCode !== null) throw new Error(`the worker ended: ${said}`)
    await sleep(50)
  }
  return worker
}
