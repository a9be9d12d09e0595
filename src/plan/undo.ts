// What somebody types to undo a run that is done: what went back goes forth again, and nothing else.

import type { Ended } from './audit.js'
import type { RollbackRequest, Scope } from './request.js'

/** The part of a target that a run changed, as a rollback names it. */
export interface Part {
  readonly scope: Scope
  readonly services?: readonly string[]
  /** The run brought secrets of then, so those of now come back only by name. */
  readonly secrets?: 'restore'
}

export function partOf({ scope, services, secrets }: RollbackRequest): Part {
  return { scope, ...(services ? { services } : {}), ...(secrets === 'restore' ? { secrets } : {}) }
}

/** Null where no one command does it. Without a part, as of a deploy, it is all of the target. */
export function undoCommand(
  target: string,
  restorePoint: string,
  part: Part | null = { scope: 'full' },
): string | null {
  if (part === null) return null
  const { scope, services, secrets } = part
  return [
    `stepback rollback ${target}`,
    ...(scope === 'full' ? [] : [`--scope ${scope}`]),
    ...(services ? [`--services ${services.join(',')}`] : []),
    ...(secrets ? [`--secrets ${secrets}`] : []),
    `--to ${restorePoint}`,
  ].join(' ')
}

/** The same for a run of the past; of one that was undone there is nothing to go back from. */
export function undoOfEnded(
  target: string,
  ended: Pick<Ended, 'outcome' | 'restorePoint'> | null | undefined,
  part: Part | null | undefined,
): string | null {
  if (!ended?.restorePoint || !['done', 'not-undone'].includes(ended.outcome)) return null
  return undoCommand(target, ended.restorePoint, part)
}
