// The worker's peak memory over a deploy, which takes a restore point, and the rollback that restores it.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Ground } from './ground.js'
import { type Result, type Say, compare, inTurn, median } from './measurement.js'

const largeBytes = 1_000_000_000

/** Both sandboxes stand at once, so that the runs are in turn. */
export async function measureMemory(say: Say): Promise<readonly Result[]> {
  return await Ground.during(say, (small) =>
    Ground.during(
      say,
      async (large) => {
        const seconds = { large: [] as number[] }
        const timed = async () => {
          const began = performance.now()
          const peak = await peakOf(large)
          seconds.large.push((performance.now() - began) / 1_000)
          return peak
        }
        const peaks = await inTurn({ large: timed, small: () => peakOf(small) }, say)
        return [
          compare({
            name: 'memory',
            unit: 'MB',
            ours: peaks.large,
            peer: peaks.small,
            against: 'the same with the rows of the sandbox, about 1 MB',
            goal: 'within 10 %',
            limit: (peer) => peer * 1.1,
            note: `a fresh worker for each run, over a deploy and its rollback by restore; with 1 GB these take ${median(seconds.large).toFixed(0)} s`,
          }),
        ]
      },
      largeBytes,
    ),
  )
}

async function peakOf(ground: Ground): Promise<number> {
  return await ground.withWorker(async (pid) => {
    const watch = watchPeak(pid)
    await ground.deploy()
    await ground.rollback({ strategy: 'restore' })
    return watch.end() / 1_000_000
  })
}

/** The most bytes that a process has held: as the kernel noted it, or, where it notes nothing, as they were seen. */
function watchPeak(pid: number): { end(): number } {
  if (process.platform === 'linux') return { end: () => noted(pid) }
  let most = 0
  const look = () => (most = Math.max(most, seen(pid)))
  const timer = setInterval(look, 100)
  return {
    end: () => {
      clearInterval(timer)
      return look()
    },
  }
}

function noted(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1_024
}

function seen(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024
}
