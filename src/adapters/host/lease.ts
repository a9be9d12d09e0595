export interface Holder {
  readonly workflowId: string
  readonly runId: string
  readonly namespace: string
  readonly kind: 'deploy' | 'rollback' | 'backup' | 'emergency' | 'guard'
}

export interface LeaseState {
  /** The number in force; 0 where no one ever held the lease. */
  readonly number: number
  /** Undefined: free. */
  readonly holder: Holder | undefined
  readonly takenAt: string | undefined
  /** By the host's clock. */
  readonly unrenewedSeconds: number
  /** Ids of the jobs of this number whose group still lives. */
  readonly livingJobs: readonly string[]
}

/** What a take-over saw that allowed it. */
export type TakeReason = 'closed' | 'expired' | 'pre-empted'

export type AcquireOutcome =
  | { readonly outcome: 'acquired'; readonly token: number }
  | { readonly outcome: 'fenced'; readonly by: LeaseState }
  | { readonly outcome: 'held'; readonly by: LeaseState }
