// What goes, and what people are told, at the end of a run.

import { findReserve, keepReserve } from '../commands/disk.js'
import { type ForPeople, tidyUp } from '../commands/tidy.js'
import type { Target } from '../config/schema.js'
import type { Host } from '../adapters/host.js'
import { StepbackError } from '../plan/failure.js'
import type { Noted } from '../plan/incident.js'
import { type RunId, runDigits } from '../plan/ledger.js'
import { ownRun } from './context.js'
import type { Deps } from './deps.js'
import { notedIn } from './incidents.js'
import { messageOf } from './to-failure.js'

/** Nothing depends on what was staged nor on the words for people, so only not reaching the host makes it fail. */
export async function tidy(
  deps: Deps,
  target: Target,
  input: { readonly token: number; readonly run: RunId; readonly people: ForPeople | undefined },
): Promise<{ readonly note: Noted | undefined; readonly lacksReserve: boolean }> {
  const { token, run, people } = input
  const host = deps.hosts.host(target)
  const run8 = runDigits(run)
  const { reserveBytes } = target.emergency
  const script = tidyUp({
    staging: `${host.stateDirectory}/staging/${run8}`,
    reserve: reserveBytes > 0 ? findReserve(host.stateDirectory) : '',
    forPeople: people,
  })
  const unwritten = (problem: string) => ({ note: people && { problem }, lacksReserve: false })
  try {
    const job = await host.runJob({ id: `${runDigits(ownRun())}.${run8}.tidy.${token}`, token, script })
    if (job.outcome !== 'exited') return unwritten(`writing it was ${job.outcome}`)
    return { note: notedIn(people, job), lacksReserve: job.stdout.split('\n').includes('missing') }
  } catch (error) {
    if (error instanceof StepbackError && error.type === 'Unreachable') throw error
    return unwritten(messageOf(error))
  }
}

/** By a timer, since nobody waits until it is written; a disk that has no room for that is no reason to fail a run. */
export async function writeReserve(host: Host, target: Target, token: number): Promise<void> {
  const script = keepReserve(host.stateDirectory, target.emergency.reserveBytes)
  await host.armTimer({ name: `reserve.${token}`, script }).catch(() => undefined)
}
