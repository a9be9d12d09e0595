// Jobs, typed: start, attach, judge what was lost, cancel. A retry of the same id joins what is already there.
import { StepbackError } from '../../plan/failure.js'
import { callHelper, linesOf } from './helper.js'
import type { HelperOptions } from './helper.js'

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

const defaultOutputLimitBytes = 65_536
/** Rounds of one wait on the host, about six seconds: each call renews the lease, and a ghost's call ends by itself. */
const waitRounds = 140
const progressEveryMs = 1_000

export async function runJob(options: HelperOptions, request: JobRequest): Promise<JobOutcome> {
  checkId(request.id)
  const progress = request.onProgress && setInterval(request.onProgress, progressEveryMs)
  let onAbort: (() => void) | undefined
  // What a cancel ends, following sees; a cancel that fails is the outcome, else one would follow the job for ever.
  const cancelFailed = new Promise<never>((_, reject) => {
    onAbort = () => void cancelJob(options, request).catch(reject)
  })
  cancelFailed.catch(() => undefined)
  try {
    if (request.signal?.aborted) await cancelJob(options, request)
    else if (onAbort) request.signal?.addEventListener('abort', onAbort, { once: true })
    return await Promise.race([follow(options, request), cancelFailed])
  } finally {
    clearInterval(progress)
    if (onAbort) request.signal?.removeEventListener('abort', onAbort)
  }
}

/** Published before anything is ended, so that the job can never start again: an undo calls it on its do-job first. */
export async function cancelJob(options: HelperOptions, input: { id: string; token: number }): Promise<void> {
  checkId(input.id)
  await callHelper({ options, words: ['cancel', input.id, input.token] })
}

export interface JobSummary {
  readonly id: string
  readonly generation: number
  readonly token: number | undefined
  /** `fenced`, `cancelled`, `lost`, an exit code, or undefined while it has none. */
  readonly exit: string | undefined
}

export async function listJobs(options: HelperOptions): Promise<readonly JobSummary[]> {
  const lines = linesOf(await callHelper({ options, words: ['list'] })).get('job') ?? []
  return lines.map((line) => {
    const [id = '', generation, token, exit] = line.split(' ')
    return {
      id,
      generation: Number(generation),
      token: token === '-' ? undefined : Number(token),
      exit: exit === '-' ? undefined : exit,
    }
  })
}

async function follow(options: HelperOptions, request: JobRequest): Promise<JobOutcome> {
  let seen = await start(options, request, 1)
  for (;;) {
    if (seen.kind === 'more') seen = await wait(options, request, seen.generation)
    else if (seen.kind === 'unclaimed') seen = await start(options, request, seen.generation)
    else if (seen.kind === 'unstarted') seen = await start(options, request, seen.generation + 1)
    else if (seen.kind === 'exit') {
      const outcome = await outcomeOf(options, request, seen)
      if (outcome !== 'again') return outcome
      // By number: "the next one" could be one that nobody judged.
      seen = await start(options, request, seen.generation + 1)
    }
  }
}

// Follows at once, maybe an earlier generation: it was ended or judged before this one could start.
async function start(options: HelperOptions, request: JobRequest, generation: number): Promise<Seen> {
  const script = Buffer.from(request.script)
  const ending = Buffer.from(request.ending ?? '')
  const words = ['start', request.id, request.token, generation, script.length, ending.length, ...waitWords(request)]
  const { stdout } = await callHelper({ options, words, payload: Buffer.concat([script, ending]) })
  const end = stdout.indexOf('\n')
  const following = Number(stdout.subarray('follow '.length, end).toString('latin1'))
  const seen = stdout.subarray(end + 1)
  return seen.length > 0 ? seenIn(seen) : { kind: 'more', generation: following }
}

interface Exit {
  readonly kind: 'exit'
  readonly generation: number
  readonly value: string
  readonly verdict: string
  readonly inForce: boolean
  readonly stdout: string
  readonly stderr: string
}

type Seen = Exit | { readonly kind: 'more' | 'unclaimed' | 'unstarted'; readonly generation: number }

async function wait(options: HelperOptions, request: JobRequest, generation: number): Promise<Seen> {
  const words = ['wait', request.id, request.token, generation, ...waitWords(request)]
  return seenIn((await callHelper({ options, words })).stdout)
}

function waitWords(request: JobRequest): number[] {
  return [waitRounds, request.outputLimitBytes ?? defaultOutputLimitBytes]
}

// One line of words, then, after an exit, the bytes that it announces.
function seenIn(stdout: Buffer): Seen {
  const end = stdout.indexOf('\n')
  const [kind, generation, value = '', verdict = '', force, out, err] = stdout
    .subarray(0, end)
    .toString('utf8')
    .split(' ')
  if (kind === 'more' || kind === 'unclaimed' || kind === 'unstarted') return { kind, generation: Number(generation) }
  if (kind !== 'exit') {
    throw new StepbackError({ type: 'Unreachable', message: `the helper answered '${kind}' to 'wait'` })
  }
  const output = stdout.subarray(end + 1)
  return {
    kind,
    generation: Number(generation),
    value,
    verdict,
    inForce: force === 'yes',
    stdout: output.subarray(0, Number(out)).toString('utf8'),
    stderr: output.subarray(Number(out), Number(out) + Number(err)).toString('utf8'),
  }
}

async function outcomeOf(options: HelperOptions, request: JobRequest, exit: Exit): Promise<JobOutcome | 'again'> {
  if (exit.value === '0' || (exit.inForce && /^\d+$/.test(exit.value))) {
    const file = (name: string) => `${options.stateDirectory}/jobs/${request.id}/${name}.${exit.generation}`
    const files = { out: file('out'), err: file('err') }
    return { outcome: 'exited', exitCode: Number(exit.value), stdout: exit.stdout, stderr: exit.stderr, files }
  }
  // Ended by a take-over, in whichever way: it is the next holder's to say what became of it.
  if (!exit.inForce || exit.value === 'fenced') return { outcome: 'fenced' }
  if (exit.value === 'cancelled') return { outcome: 'cancelled' }
  return judge(options, request, exit)
}

async function judge(options: HelperOptions, request: JobRequest, exit: Exit): Promise<JobOutcome | 'again'> {
  let { verdict } = exit
  if (verdict === 'none') {
    if (!request.holds) throw lost(options, request, exit)
    const words = ['judge', request.id, request.token, exit.generation, (await request.holds()) ? 'done' : 'again']
    // The first verdict stands: a later look may see what a later step has changed.
    verdict = linesOf(await callHelper({ options, words })).get('judged')?.[0] ?? ''
  }
  return verdict === 'again' ? 'again' : { outcome: 'done' }
}

function lost(options: HelperOptions, request: JobRequest, exit: Exit): StepbackError {
  return new StepbackError({
    type: 'StepFailed',
    message: `the job '${request.id}' ended without an exit status: it is unknown how far it came`,
    hint: `it was killed, or the host restarted; read ${options.stateDirectory}/jobs/${request.id}/err.${exit.generation} and look at what it was to change`,
  })
}

function checkId(id: string): void {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(id)) throw new TypeError(`not a job id: '${id}'`)
}
