// Whether a target is still as it was planned for: a look of a tenth of what a plan looks at. It is enough where nobody
// can have changed it but a person, by hand, in the seconds since.

import { createHash } from 'node:crypto'
import { Context } from '@temporalio/activity'
import { atAGlance, filesAtAGlance, statesOf } from '../../commands/observe.js'
import { together } from '../together.js'
import type { Look } from './look.js'

/** What a plan was made upon. */
export interface Glance {
  /** The lease's number, free: whoever takes it with the next one knows that no run and no script came in between. */
  readonly lease: number
  /** By the clock of Temporal's server, in milliseconds since 1970. */
  readonly at: number
  /** Of the containers, the files and the shelf of restore points. */
  readonly sha256: string
}

/** A person takes longer to change by hand what a glance does not see, as the meaning of a tag. */
const lastsMs = 5_000

/** The lease's number where nobody holds it; read before all else that a plan is made from. */
export async function freeLease(look: Look): Promise<number | undefined> {
  const { number, holder } = await look.host.readLease()
  return holder ? undefined : number
}

/** Beside the looks of the plan, whose containers it goes by; it fails where they cannot be looked at. */
export async function glance(look: Look, lease: number): Promise<Glance> {
  const { project, ...files } = glanced(look)
  const [listed, seen] = await together([look.listed(), look.look(filesAtAGlance(files))])
  const states = statesOf(listed.filter((it) => it.project === project))
  return { lease, at: scheduledAt(), sha256: sha256(states + seen) }
}

/** A glance from before the lease, and the number that the lease then was taken with. */
export interface Since extends Glance {
  readonly token: number
}

/** Asked under the lease. */
export async function isStill(look: Look, before: Since): Promise<boolean> {
  if (before.token !== before.lease + 1) return false
  const passedMs = scheduledAt() - before.at
  if (passedMs < 0 || passedMs > lastsMs) return false
  const { exitCode, stdout } = await look.try(atAGlance(glanced(look)))
  return exitCode === 0 && sha256(stdout) === before.sha256
}

function glanced({ target: { directory, backups, managed, compose } }: Look) {
  return { project: compose.project, directory, backups, paths: [...compose.files, compose.envFile, ...managed] }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function scheduledAt(): number {
  return Context.current().info.currentAttemptScheduledTimestampMs
}
