// What the errors of PostgreSQL mean for a run.

import { StepbackError, type FailureType } from '../../plan/failure.js'

/** The failure that an error of the database means. Only its code decides; rows that it may quote stay out. */
export function databaseError(input: { readonly cause: unknown; readonly what: string }): StepbackError {
  const { cause, what } = input
  if (cause instanceof StepbackError) return cause
  const { code, message } = cause as { code?: string; message: string }
  const type = typeOf(code)
  return new StepbackError({
    type,
    message: `${what} failed: ${message}${code ? ` (${code})` : ''}`,
    ...hintOf(code),
    cause,
  })
}

/** What an error says besides its words, which may quote a row. */
export function codeOf(error: unknown): {
  readonly code?: string
  readonly constraint?: string
  readonly column?: string
} {
  if (error instanceof StepbackError) return error.cause === undefined ? {} : codeOf(error.cause)
  return (error ?? {}) as { code?: string; constraint?: string; column?: string }
}

/** Whether an error has one of these codes of PostgreSQL. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const own = (error as { code?: string } | undefined)?.code
  if (own !== undefined) return codes.includes(own)
  return error instanceof StepbackError && error.cause !== undefined && hasCode(error.cause, ...codes)
}

// Lock timeout, deadlock, serialization, in use, not accepting connections, too many connections, starting up.
const busy = ['55P03', '40P01', '40001', '55006', '55000', '53300']

function typeOf(code: string | undefined): FailureType {
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return 'Unreachable'
  if (busy.includes(code)) return 'Busy'
  if (/^(08|57P)/.test(code)) return 'Unreachable'
  return /^(28|3D000)/.test(code) ? 'Refused' : 'StepFailed'
}

function hintOf(code: string | undefined): { hint?: string } {
  if (code?.startsWith('28')) return { hint: 'compare user and password of the configuration with the database.' }
  if (code === '3D000') return { hint: 'compare the name of the database with `psql -l` on the host.' }
  return {}
}
