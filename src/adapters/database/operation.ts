// One exchange of two databases, as the journal keeps it.

import { StepbackError } from '../../plan/failure.js'

/** `there` brings the new database in; `back` undoes that. */
export type Direction = 'there' | 'back'

export interface Operation {
  readonly id: string
  readonly state: 'planned' | 'swapped' | 'reverted'
  readonly sealed: boolean
  readonly liveName: string
  readonly newName: string
  readonly beforeName: string
  readonly liveOid: number
  readonly newOid: number
}

export interface Door {
  readonly token: number
  readonly state: 'open' | 'closed'
  /** The number of the last closing. */
  readonly closing: number
}

export interface Mine {
  readonly target: string
  readonly token: number
}

/** Whether an exchange in this direction may still be done. A do that is sealed may not, an undo must be. */
export function isOpenFor(operation: Operation, direction: Direction): boolean {
  return direction === 'there'
    ? operation.state === 'planned' && !operation.sealed
    : operation.state === 'swapped' && operation.sealed
}

/** What leaves the live name, and under which name it is kept; what takes it, and the name it has. */
export function sides(operation: Operation, direction: Direction) {
  const { liveOid, newOid, newName, beforeName } = operation
  return direction === 'there'
    ? { from: { oid: liveOid, keptAs: beforeName }, to: { oid: newOid, name: newName } }
    : { from: { oid: newOid, keptAs: newName }, to: { oid: liveOid, name: beforeName } }
}

export function changed(message: string): StepbackError {
  return new StepbackError({ type: 'StepFailed', message, hint: 'look at `psql -l` on the host before anything else.' })
}
