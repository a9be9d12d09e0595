// Exit codes, decided by types alone.

import { CommanderError } from 'commander'
import type { Outcome } from '../client.js'
import { StepbackError, failures } from '../plan/failure.js'

export const exitCodes = { done: 0, unexpected: 1, usage: 2, refused: 3, notUndone: 5, left: 6 } as const

/** How a run ended, as an exit code. */
export function exitCodeOf(outcome: Outcome): number {
  switch (outcome.outcome) {
    case 'done':
      return exitCodes.done
    case 'Cancelled':
      return exitCodes.refused
    case 'Terminated':
    case 'TimedOut':
      return exitCodes.notUndone // it undid nothing; what it left is the next run's to undo
    case 'Unknown':
      return exitCodes.unexpected
    default:
      return failures[outcome.outcome].exitCode
  }
}

/** What a command threw, as an exit code; asking for help is no error. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof StepbackError) return failures[error.type].exitCode
  if (!(error instanceof CommanderError)) return exitCodes.unexpected
  const asked = ['commander.helpDisplayed', 'commander.version'].includes(error.code)
  return asked ? exitCodes.done : exitCodes.usage
}
