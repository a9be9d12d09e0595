// What happens on the host: to its jobs, its engine, its disk and its clock, and what a person does there.

import { appendFileSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Fault, nothingToMend } from '../fault.js'
import { unended } from '../leftovers.js'

interface Job {
  readonly pid: number
  readonly group: number
}

/** The file that people change by hand: every release brings it. */
export const changedByHand = 'models.yaml'

export const hostFaults: readonly Fault[] = [
  {
    name: 'host jobs killed',
    about: '`kill -9` of every job on the host: of its runner, or of all that belongs to it',
    lasts: 'moment',
    async inject({ ground }, random) {
      const jobs = await someJobs(ground.state)
      for (const { pid, group } of jobs) kill(random.chance(0.5) ? pid : -group)
      return jobs.length > 0 ? nothingToMend : undefined
    },
  },
  {
    name: 'Docker daemon restarted',
    about: '`kill -9` of the Docker daemon, which is started again; containers live on',
    lasts: 'while',
    needs: 'own engine',
    async inject({ ground }) {
      await ground.processes.kill('dockerd')
      return async () => await ground.processes.start('dockerd')
    },
  },
  {
    name: 'disk full',
    about: 'the disk of the backups has no room for a while',
    lasts: 'while',
    needs: 'small disk',
    async inject({ ground }, random) {
      ground.fillDisk(random.pick([0, 0, 4_096, 100_000]))
      return async () => ground.fillDisk(Infinity)
    },
  },
  {
    name: 'clock moved',
    about: "the host's clock, as commands there read it, is hours off until the run is over",
    lasts: 'run',
    async inject({ ground }, random) {
      ground.clock.move(random.pick([-7_200, -90, 90, 7_200, 86_400]))
      return async () => ground.clock.right()
    },
  },
  {
    name: 'file changed by hand',
    about: 'a person adds a line to a managed file',
    lasts: 'moment',
    byHand: [changedByHand],
    async inject({ ground }) {
      appendFileSync(join(ground.sandbox.directory, changedByHand), '# changed by hand\n')
      return nothingToMend
    },
  },
]

/** An act is in the ledger before its job is on the host: it is waited for, and a job that ended meanwhile is none. */
async function someJobs(state: string): Promise<readonly Job[]> {
  for (let tries = 0; tries < 300; tries++) {
    const jobs = livingJobs(state)
    if (jobs.length > 0) return jobs
    await sleep(10)
  }
  return []
}

function livingJobs(state: string): readonly Job[] {
  const jobs = join(state, 'jobs')
  return readdirSync(jobs).flatMap((job) =>
    unended(state, job).map((claim) => {
      const [pid, group] = readFileSync(join(jobs, job, `claim.${claim}`), 'utf8')
        .split(' ')
        .map(Number)
      return { pid: pid!, group: group! }
    }),
  )
}

function kill(pid: number): void {
  // What a claim names may be over; 0 and 1 would be this process's own group, and every process.
  if (Math.abs(pid) < 2 || Number.isNaN(pid)) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended meanwhile
  }
}
