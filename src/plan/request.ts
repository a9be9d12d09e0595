// Requests after parsing, defaults filled in. The keys are fixed: operators type them.

export interface Asked {
  readonly target: string
  readonly reason?: string | undefined
  readonly requestedBy?: string | undefined
  readonly dryRun: boolean
}

export type ApprovalWish = 'policy' | 'always' | 'never'

export interface DeployRequest extends Asked {
  readonly version: string
  readonly release?: string | undefined
  readonly migrateTo: string
  readonly approval: ApprovalWish
  readonly hotfix: boolean
  readonly redeploy: boolean
  readonly mayLoseRows?: number | undefined
}

export type Scope = 'full' | 'database' | 'containers' | 'config'
export type Strategy = 'migrate' | 'swap' | 'restore'

export interface RollbackRequest extends Asked {
  readonly scope: Scope
  readonly to: string
  readonly services?: readonly string[] | undefined
  readonly strategy: 'auto' | Strategy
  readonly secrets: 'keep' | 'restore'
  readonly carryForward?: readonly string[] | 'all' | undefined
  readonly approval: ApprovalWish
  readonly severity?: 'failure' | 'degradation' | undefined
}

export const procedures = [
  'stop',
  'start',
  'unresponsive',
  'database-corruption',
  'out-of-memory',
  'disk-full',
] as const
export type Procedure = (typeof procedures)[number]

export interface EmergencyRequest extends Asked {
  readonly procedure: Procedure
  /** Nobody approves it, so whoever asks has to say why. */
  readonly reason: string
  readonly severity?: 'failure' | 'degradation' | undefined
}

export interface BackupRequest extends Asked {
  readonly what: 'restore-point' | 'prove' | 'drill' | 'prune' | 'pin' | 'unpin' | 'memories' | 'restore-memories'
  /** What `prove`, `pin` and `unpin` mean. */
  readonly id?: string | undefined
  readonly prove: boolean
}
