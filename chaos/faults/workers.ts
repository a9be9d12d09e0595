// What happens to workers.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Mend } from '../fault.js'
import type { Ground } from '../ground.js'

export const workerFaults: readonly Fault[] = [
  {
    name: 'worker killed',
    about: '`kill -9` of the worker; another one is started later',
    lasts: 'while',
    async inject({ ground }) {
      await ground.workers.kill(ground.workers.current)
      return async () => await ground.workers.ensureOne()
    },
  },
  {
    name: 'worker stopped',
    about: '`SIGTERM` of the worker; another one is started later',
    lasts: 'while',
    async inject({ ground }) {
      const stopped = ground.workers.stop(ground.workers.current)
      return async () => {
        await stopped
        await ground.workers.ensureOne()
      }
    },
  },
  {
    name: 'worker paused',
    about: 'the worker is paused, another one goes on, and the paused one wakes when the run is over',
    lasts: 'run',
    async inject({ ground }) {
      return await passOver(ground)
    },
  },
  {
    name: 'zombie with an old token',
    about: 'the worker is paused, its run terminated, another run takes the lease, and the paused worker wakes',
    lasts: 'while',
    ofRun: true,
    async inject({ ground, run, start, wishes }) {
      const wake = await passOver(ground)
      await ground.temporal.workflow.getHandle(run).terminate('chaos')
      await start((client, target) => client.startBackup({ target, reason: 'chaos' }), wishes.same)
      return wake
    },
  },
  {
    name: 'two workers',
    about: 'a second worker shares the queue until the run is over',
    lasts: 'run',
    async inject({ ground }) {
      const first = ground.workers.current
      await ground.workers.start()
      return async () => await ground.workers.kill(first)
    },
  },
  {
    name: 'clock of the worker moved',
    about: 'another worker, whose clock is hours off, takes the place of the worker until the run is over',
    lasts: 'run',
    async inject({ ground }, random) {
      await ground.workers.kill(ground.workers.current)
      await ground.workers.start(undefined, ground.withClock(random.pick([-7_200, -90, 90, 7_200, 86_400])))
      return async () => {
        await ground.workers.kill(ground.workers.current)
        await ground.workers.ensureOne()
      }
    },
  },
]

export const serverFaults: readonly Fault[] = [
  {
    name: 'Temporal killed',
    about: "`kill -9` of Temporal's server, which is started again later",
    lasts: 'while',
    async inject({ ground }) {
      await ground.processes.kill('temporal')
      return async () => await ground.processes.start('temporal')
    },
  },
  {
    name: 'connection to Temporal cut',
    about: 'the worker cannot reach Temporal for a while',
    lasts: 'while',
    async inject({ ground: { wires } }) {
      await wires.server.set({ opens: 'refused' })
      wires.server.cut()
      return async () => await wires.server.set({})
    },
  },
  {
    name: 'worker without Temporal, and another one',
    about: 'the worker cannot reach Temporal, and a second one that can goes on beside it',
    lasts: 'run',
    async inject({ ground }) {
      const first = ground.workers.current
      await ground.wires.server.set({ opens: 'refused' })
      ground.wires.server.cut()
      await ground.workers.start(ground.directConfig)
      return async () => {
        await ground.wires.server.set({})
        await sleep(2_000)
        await ground.workers.kill(first)
      }
    },
  },
]

/** Pauses the worker and lets another one take its place; what comes back wakes it, and ends it. */
async function passOver({ workers }: Ground): Promise<Mend> {
  const paused = workers.current
  paused.kill('SIGSTOP')
  await workers.start()
  return async () => {
    paused.kill('SIGCONT')
    // Long enough to do what it still believes that it has to.
    await sleep(3_000)
    await workers.kill(paused)
  }
}
