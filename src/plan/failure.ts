// Every way in which a run or a step can fail, as it crosses Temporal: the type is all that decides.

/** How each failure type behaves: whether its activity is retried, and the exit code of the command line. */
export const failures = {
  InvalidRequest: { retryable: false, exitCode: 2 },
  UnknownTarget: { retryable: false, exitCode: 2 },
  InvalidConfiguration: { retryable: false, exitCode: 2 },
  Refused: { retryable: false, exitCode: 3 },
  Rejected: { retryable: false, exitCode: 3 },
  ApprovalTimeout: { retryable: false, exitCode: 3 },
  ApprovalRefused: { retryable: false, exitCode: 3 },
  Undone: { retryable: false, exitCode: 4 },
  NotUndone: { retryable: false, exitCode: 5 },
  /** The lease belongs to a later token: this run changes nothing more. */
  Fenced: { retryable: false, exitCode: 5 },
  /** The lease is held under an earlier run id of this same workflow id: this run was reset, and starts over. */
  StaleLease: { retryable: false, exitCode: 5 },
  /** The step ran and failed, for certain: build, migration, health, version. */
  StepFailed: { retryable: false, exitCode: 4 },
  /** Bringing the database back would lose more rows than anyone allowed; nothing was swapped or reverted. */
  ExposureExceeded: { retryable: false, exitCode: 5 },
  /** The host could not be reached, or did not answer: the outcome is unknown. */
  Unreachable: { retryable: true, exitCode: 1 },
  /** Something ran that may not be run twice, and nobody knows how far it came: a person decides. */
  OutcomeUnknown: { retryable: false, exitCode: 1 },
  /** A lock, a busy database or another passing state: the step did nothing. */
  Busy: { retryable: true, exitCode: 1 },
} as const

export type FailureType = keyof typeof failures

export const nonRetryableTypes: readonly FailureType[] = (Object.keys(failures) as FailureType[]).filter(
  (type) => !failures[type].retryable,
)

/** A failure with its type, thrown by pure code and adapters; activities carry it across Temporal by its type. */
export class StepbackError extends Error {
  readonly type: FailureType
  readonly hint: string | undefined
  readonly details: unknown

  constructor(input: {
    readonly type: FailureType
    readonly message: string
    readonly hint?: string
    readonly details?: unknown
    readonly cause?: unknown
  }) {
    super(input.hint ? `${input.message}\nhint: ${input.hint}` : input.message, { cause: input.cause })
    this.name = input.type
    this.type = input.type
    this.hint = input.hint
    this.details = input.details
  }
}
