// What is done again at once, because a single loss on the way says nothing about the host.
import { setTimeout as sleep } from 'node:timers/promises'
import { StepbackError } from '../plan/failure.js'

const mostTimes = 5
/** What took longer has been waited for as long as anybody wants to wait. */
const quickMs = 2_000

/** Again where it failed quickly: a busy sshd turns some away at random (MaxStartups), and one that starts anew all. */
export async function againIfQuick<T>(work: () => Promise<T>): Promise<T> {
  for (let time = 1; ; time += 1) {
    const began = Date.now()
    try {
      return await work()
    } catch (error) {
      if (!isLost(error) || time === mostTimes || Date.now() - began > quickMs) throw error
      await sleep(time * 100)
    }
  }
}

/** Whatever went wrong, where it did so quickly: the second failure is told. */
export async function onceMore<T>(work: () => Promise<T>): Promise<T> {
  const began = Date.now()
  return await work().catch((error: unknown) => {
    if (Date.now() - began > quickMs) throw error
    return work()
  })
}

/** Nothing came of it, or it was held up by what passes; but for a login that failed, since hosts count those. */
function isLost(error: unknown): boolean {
  if (!(error instanceof StepbackError) || !['Unreachable', 'Busy'].includes(error.type)) return false
  const { level } = (error.cause ?? {}) as { readonly level?: string }
  return level !== 'client-authentication' && level !== 'agent'
}
