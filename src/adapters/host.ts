// The host's truth, typed: the lease, the jobs, the ledger and the timers of one target.
import { isAbsolute } from 'node:path/posix'
import { callHelper, standalone } from './host/helper.js'
import type { HelperOptions } from './host/helper.js'
import { cancelJob, listJobs, runJob } from './host/jobs.js'
import type { JobOutcome, JobRequest, JobSummary } from './host/jobs.js'
import { acquire, readLease, release, renew, scriptLives } from './host/lease.js'
import type { AcquireOutcome, Holder, LeaseState, TakeReason } from './host/lease.js'
import { append, inspect, read } from './host/ledger.js'
import type { Damage, LedgerRecord } from './host/ledger.js'
import type { SshConnection } from './ssh.js'

export type { JobOutcome, JobRequest, JobSummary } from './host/jobs.js'
export type { AcquireOutcome, Holder, LeaseState, TakeReason } from './host/lease.js'
export type { Damage, LedgerRecord } from './host/ledger.js'

export class Host {
  readonly stateDirectory: string
  readonly #options: HelperOptions

  /** `ssh` is asked for every call, so that it can connect again; `shell` runs the helper, `/bin/sh` but in tests. */
  constructor(input: { ssh: () => Promise<SshConnection>; stateDirectory: string; shell?: string | undefined }) {
    if (!isAbsolute(input.stateDirectory)) throw new TypeError(`not an absolute path: '${input.stateDirectory}'`)
    this.stateDirectory = input.stateDirectory
    this.#options = { ssh: input.ssh, stateDirectory: input.stateDirectory, shell: input.shell ?? '/bin/sh' }
  }

  get standalone(): ReturnType<typeof standalone> {
    return standalone()
  }

  /** Runs a script that only reads. */
  async look(input: {
    script: string
    signal?: AbortSignal | undefined
  }): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const payload = Buffer.from(input.script)
    const words = ['look', payload.length]
    const reply = await callHelper({ options: this.#options, words, payload, signal: input.signal })
    return { exitCode: reply.status, stdout: reply.stdout.toString('utf8'), stderr: reply.stderr.toString('utf8') }
  }

  /**
   * Runs a script that adds what nobody else has a hand in, as a note of a run that was refused: all other writing is a
   * job's, under the lease. It may be run twice, and by a ghost.
   */
  writeUnleased(script: string): ReturnType<Host['look']> {
    return this.look({ script })
  }

  /** Whether the state directory's file system has the hard links that everything here rests on. */
  async linksExclusively(): Promise<boolean> {
    const reply = await callHelper({ options: this.#options, words: ['probe'] })
    return reply.stdout.toString('utf8') === 'links\n'
  }

  readLease(): Promise<LeaseState> {
    return readLease(this.#options)
  }

  /** Of a holder that no server knows; one that cannot be told lives. */
  scriptLives(holder: Holder): Promise<boolean> {
    return scriptLives(this.#options, holder)
  }

  /**
   * Takes the lease if it is free, or if `mayTake` says why it may be taken from its holder. Returns only when no job
   * of an older token lives any more; `Busy` when one cannot be ended. `fenced` is final for this holder.
   */
  acquire(input: {
    holder: Holder
    mayTake: (state: LeaseState) => Promise<TakeReason | undefined>
  }): Promise<AcquireOutcome> {
    return acquire(this.#options, input)
  }

  /** Throws `StaleLease` when an earlier run id of the same workflow holds the token, `Fenced` when it is not in force. */
  renew(input: { token: number; holder: Holder }): Promise<void> {
    return renew(this.#options, input)
  }

  /** May be repeated. Throws `Fenced` when someone else has the next number. */
  release(input: { token: number; holder: Holder }): Promise<void> {
    return release(this.#options, input)
  }

  /** Runs a script once, whatever dies on the way; the same id again joins it, or reads how it ended. */
  runJob(input: JobRequest): Promise<JobOutcome> {
    return runJob(this.#options, input)
  }

  /** Ends the job, and keeps it from ever starting again. */
  cancelJob(input: { id: string; token: number }): Promise<void> {
    return cancelJob(this.#options, input)
  }

  listJobs(): Promise<readonly JobSummary[]> {
    return listJobs(this.#options)
  }

  /** Removes ended jobs of older tokens and lease numbers that are older than so many days. */
  async prune(input: { olderThanDays: number }): Promise<void> {
    await callHelper({ options: this.#options, words: ['prune', input.olderThanDays] })
  }

  /**
   * Safe to repeat under the same id. Throws `Fenced` when an entry of a greater token is before it. With `holder` it is
   * a renewal as well, and writes nothing where that would throw.
   */
  appendLedger(input: {
    token: number
    id: string
    entry: object
    holder?: Holder | undefined
  }): Promise<{ number: number; sha256: string }> {
    return append(this.#options, 'ledger', input)
  }

  /** The entries behind number `after`; a broken chain is `Refused`. */
  readLedger(input: { after?: number | undefined } = {}): Promise<readonly LedgerRecord[]> {
    return read(this.#options, 'ledger', input.after ?? 0)
  }

  /** As the ledger, but for people: nothing in it is ever void. */
  appendAudit(input: { token?: number; id: string; entry: object }): Promise<{ number: number; sha256: string }> {
    return append(this.#options, 'audit', { token: 0, ...input })
  }

  /** All that can be read of it, with all that is wrong: whoever looks into a broken record looks for what is left. */
  async readAudit(): Promise<{ readonly records: readonly LedgerRecord[]; readonly damage: readonly Damage[] }> {
    const { records, damage } = await inspect(this.#options, 'audit')
    return { records: records.map((record) => ({ ...record, void: false })), damage }
  }

  /** Starts a detached script that no take-over ends, once for a name; returns when it runs, or has already ended well. */
  async armTimer(input: { name: string; script: string }): Promise<void> {
    const payload = Buffer.from(input.script)
    await callHelper({ options: this.#options, words: ['arm', input.name, payload.length], payload })
  }
}
