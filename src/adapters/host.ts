// The host's truth, typed: the lease, the jobs, the ledger and the timers of one target.
import type { AcquireOutcome, Holder, LeaseState, TakeReason } from './host/lease.js'
import type { JobOutcome, JobRequest } from './host/jobs.js'
import type { LedgerRecord } from './host/ledger.js'
import type { SshConnection } from './ssh.js'

export type { AcquireOutcome, Holder, LeaseState, TakeReason } from './host/lease.js'
export type { JobOutcome, JobRequest } from './host/jobs.js'
export type { LedgerRecord } from './host/ledger.js'

export class Host {
  readonly stateDirectory: string
  constructor(input: { ssh: () => Promise<SshConnection>; stateDirectory: string; shell?: string }) {
    this.stateDirectory = input.stateDirectory
  }
  look(_input: {
    script: string
    signal?: AbortSignal | undefined
  }): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    throw new Error('under construction')
  }
  readLease(): Promise<LeaseState> {
    throw new Error('under construction')
  }
  acquire(_input: {
    holder: Holder
    mayTake: (state: LeaseState) => Promise<TakeReason | undefined>
  }): Promise<AcquireOutcome> {
    throw new Error('under construction')
  }
  renew(_input: { token: number; holder: Holder }): Promise<void> {
    throw new Error('under construction')
  }
  release(_input: { token: number; holder: Holder }): Promise<void> {
    throw new Error('under construction')
  }
  runJob(_input: JobRequest): Promise<JobOutcome> {
    throw new Error('under construction')
  }
  cancelJob(_input: { id: string; token: number }): Promise<void> {
    throw new Error('under construction')
  }
  appendLedger(_input: { token: number; id: string; entry: object }): Promise<{ number: number; sha256: string }> {
    throw new Error('under construction')
  }
  readLedger(_input?: { after?: number }): Promise<readonly LedgerRecord[]> {
    throw new Error('under construction')
  }
  armTimer(_input: { name: string; script: string }): Promise<void> {
    throw new Error('under construction')
  }
}
