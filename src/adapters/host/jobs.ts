export type JobOutcome =
  | {
      readonly outcome: 'exited'
      readonly exitCode: number
      readonly stdout: string
      readonly stderr: string
      /** On the host, whole. */
      readonly files: { readonly out: string; readonly err: string }
    }
  | { readonly outcome: 'fenced' | 'cancelled' }
  /** Lost, but its post-condition held: judged done. */
  | { readonly outcome: 'done' }

export interface JobRequest {
  /** Words of run, step, do or undo, and try, e.g. `3fa94c21.takeRestorePoint.do.1`; letters, digits, `.`, `_`, `-`. */
  readonly id: string
  readonly token: number
  readonly script: string
  /** Ends what left the job's process group; gets the job's id as `$1`, is run again and again, exits 0 when none is left. */
  readonly ending?: string | undefined
  /** Whether the step's post-condition holds; asked when the job is gone without an exit. */
  readonly holds?: (() => Promise<boolean>) | undefined
  /** Every second or so, for heartbeats. */
  readonly onProgress?: (() => void) | undefined
  /** Abort cancels the job on the host, and waits until it is gone. */
  readonly signal?: AbortSignal | undefined
  /** Of each of stdout and stderr, the last so many bytes come back; default 64 KiB. */
  readonly outputLimitBytes?: number | undefined
}
