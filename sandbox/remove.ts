import { existsSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const patienceMs = 10_000

/** Removes a directory in which the last of a host's jobs may still be writing what nobody waits for. */
export async function removeDirectory(path: string): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (existsSync(path)) {
    try {
      rmSync(path, { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || Date.now() > deadline) throw error
      await sleep(50)
    }
  }
}
