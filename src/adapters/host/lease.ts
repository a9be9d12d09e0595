// The lease, typed. The helper links; here is decided what the links mean.
import { StepbackError } from '../../plan/failure.js'
import { callHelper, linesOf } from './helper.js'
import type { HelperOptions } from './helper.js'

export interface Holder {
  readonly workflowId: string
  /** The present run id, not the first one: a reset run is another holder, and fences its own ghost. */
  readonly runId: string
  /** Empty for a command or a script that no server knows: only time says that it is gone. */
  readonly namespace: string
  readonly kind: 'deploy' | 'rollback' | 'backup' | 'emergency' | 'guard' | 'adoption' | 'script'
  /** It only tries out what the run would do: another identity, since one acquires once, and the run has yet to. */
  readonly rehearses?: true
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

export async function readLease(options: HelperOptions): Promise<LeaseState> {
  return stateOf(linesOf(await callHelper({ options, words: ['lease'] })))
}

export async function acquire(
  options: HelperOptions,
  input: { holder: Holder; mayTake: (state: LeaseState) => Promise<TakeReason | undefined> },
): Promise<AcquireOutcome> {
  const payload = identityAndHolder(input.holder, { exactly: true })
  let expected: { number: number; saw: TakeReason } | undefined
  for (;;) {
    const words = ['acquire', expected?.number ?? 0, expected?.saw ?? 'free']
    const lines = linesOf(await callHelper({ options, words, payload }))
    const token = lines.get('acquired')?.[0]
    if (token !== undefined) return { outcome: 'acquired', token: Number(token) }
    const by = stateOf(lines)
    if (lines.has('fenced')) return { outcome: 'fenced', by }
    // Judged for exactly this number: when another one is in force by then, it is judged anew.
    const saw = by.holder && (await input.mayTake(by))
    if (by.holder && !saw) return { outcome: 'held', by }
    expected = saw && { number: by.number, saw }
  }
}

export async function renew(options: HelperOptions, input: { token: number; holder: Holder }): Promise<void> {
  const payload = identityAndHolder(input.holder)
  const lines = linesOf(await callHelper({ options, words: ['renew', input.token], payload }))
  if (!lines.has('extended')) throw notOurs({ ...input, lines, options })
}

export async function release(options: HelperOptions, input: { token: number; holder: Holder }): Promise<void> {
  const payload = identityAndHolder(input.holder)
  const lines = linesOf(await callHelper({ options, words: ['release', input.token], payload }))
  if (!lines.has('released')) throw notOurs({ ...input, lines, options })
}

/** Whether the process of a script that stands beside a restore point runs: its run id names it. */
export async function scriptLives(options: HelperOptions, { runId }: Holder): Promise<boolean> {
  const [, pid, identity] = /^(\d+)\.(.+)-[0-9a-f]+$/.exec(runId) ?? []
  if (pid === undefined || identity === undefined) return true
  return linesOf(await callHelper({ options, words: ['who', pid, identity] })).has('alive')
}

/** For a token that turned out not to be in force, by whatever call. */
export function fenced(input: { token: number; by: LeaseState; options: HelperOptions }): StepbackError {
  const { by } = input
  const who = by.holder ? `${by.holder.kind} '${by.holder.workflowId}' since ${by.takenAt}` : 'nobody: it was released'
  return new StepbackError({
    type: 'Fenced',
    message: `token ${input.token} of '${input.options.stateDirectory}' is not in force; ${by.number} is, held by ${who}`,
    hint: 'this run changes nothing more; what it left is undone from the ledger by the next one',
    details: { token: input.token, by },
  })
}

// Two lines: the identity as it stands in every lease file, then all of the holder, its keys in one fixed order. With a
// token the run is enough. Who acquires is told apart from the rehearsal of the same run, by the key that follows.
export function identityAndHolder(holder: Holder, { exactly = false } = {}): Buffer {
  const { workflowId, runId, rehearses, namespace, kind } = holder
  const run = JSON.stringify({ workflowId, runId }).slice(1, -1)
  const identity = exactly ? `${run},"${rehearses ? 'rehearses' : 'namespace'}":` : run
  const all = { workflowId, runId, ...(rehearses ? { rehearses } : {}), namespace, kind }
  return Buffer.from(`${identity}\n${JSON.stringify(all)}\n`)
}

/** What the helper's `other` means for whom it was said to. */
export function notOurs(input: {
  token: number
  holder: Holder
  lines: ReadonlyMap<string, readonly string[]>
  options: HelperOptions
}): StepbackError {
  const other = contentOf(input.lines.get('other')?.[0])?.holder
  if (other?.workflowId === input.holder.workflowId && other.runId !== input.holder.runId) {
    return new StepbackError({
      type: 'StaleLease',
      message: `token ${input.token} was acquired by run '${other.runId}' of '${other.workflowId}', this is run '${input.holder.runId}'`,
      hint: 'the workflow was reset: it starts over with a lease of its own',
      details: { token: input.token, holder: other },
    })
  }
  return fenced({ token: input.token, by: stateOf(input.lines), options: input.options })
}

function stateOf(lines: ReadonlyMap<string, readonly string[]>): LeaseState {
  const first = (word: string) => lines.get(word)?.[0] ?? ''
  const content = contentOf(first('content'))
  // Renewed at its take-over, also where the taker died before it could say so.
  const renewed = Math.max(Number(first('renewed')) || 0, content?.epoch ?? 0)
  return {
    number: Number(first('number')),
    holder: content?.holder,
    takenAt: content?.holder && content.takenAt,
    unrenewedSeconds: renewed === 0 ? 0 : Math.max(0, Number(first('now')) - renewed),
    livingJobs: [...new Set(lines.get('living') ?? [])],
  }
}

interface LeaseContent {
  readonly holder?: Holder
  readonly takenAt: string
  readonly epoch: number
}

function contentOf(line: string | undefined): LeaseContent | undefined {
  return line ? (JSON.parse(line) as LeaseContent) : undefined
}
