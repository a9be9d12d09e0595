// A lane: one shell on the host that runs call after call, each with an answer of its own.
import { randomBytes } from 'node:crypto'
import type { ClientChannel } from 'ssh2'
import { type Over, greetingOf, laneCall, laneLine, overOf } from '../../commands/lane.js'
import { StepbackError } from '../../plan/failure.js'
import type { SshConnection } from '../ssh.js'

export interface LaneCall {
  readonly command: string
  readonly stdin?: Buffer | undefined
  /** Abort ends the call on the host, and its lane with it. */
  readonly signal?: AbortSignal | undefined
}

export interface LaneResult {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

export class Lane {
  /** Undefined where the host cannot have one: its jobs would stay in the lane's process group. */
  static async open(ssh: SshConnection, shell: string): Promise<Lane | undefined> {
    const nonce = randomBytes(8).toString('hex')
    const held = await ssh.hold(laneCall({ shell, nonce }))
    const lane = new Lane(held, nonce)
    const greeting = await lane.#until(() => greetingOf({ nonce, text: lane.#stdout.newest }))
    if (greeting === 'ready') return lane
    lane.close()
    return undefined
  }

  readonly #stream: ClientChannel
  readonly #nonce: string
  #stdout = new Output()
  #stderr = new Output()
  #ended: { readonly cause: unknown } | undefined
  #look: () => void = () => undefined

  private constructor(held: { readonly stream: ClientChannel; readonly closed: Promise<void> }, nonce: string) {
    this.#stream = held.stream
    this.#nonce = nonce
    this.#stream.on('data', (chunk: Buffer) => this.#heard(this.#stdout, chunk))
    this.#stream.stderr.on('data', (chunk: Buffer) => this.#heard(this.#stderr, chunk))
    // Writing into a channel that closes meanwhile; its end says what that means.
    this.#stream.on('error', () => undefined)
    held.closed.then(
      () => this.#end(endedEarly()),
      (lost: unknown) => this.#end(lost),
    )
  }

  get closed(): boolean {
    return this.#ended !== undefined
  }

  /** One at a time. Throws `Unreachable` when the lane ended before the answer. */
  async exec({ command, stdin = Buffer.alloc(0), signal }: LaneCall): Promise<LaneResult> {
    signal?.throwIfAborted()
    const nonce = randomBytes(8).toString('hex')
    this.#stdout = new Output()
    this.#stderr = new Output()
    const onAbort = () => this.#abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const line = laneLine({ lane: this.#nonce, nonce, length: stdin.length, command })
      this.#stream.write(Buffer.concat([Buffer.from(line), stdin]))
      return await this.#until(() => this.#answer(nonce))
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    this.#stream.close()
    this.#end(endedEarly())
  }

  // The command may not care, and goes on; the caller does not wait for that.
  #abort(reason: unknown): void {
    this.#stream.signal('TERM')
    this.#stream.close()
    this.#end(reason)
  }

  #answer(nonce: string): LaneResult | undefined {
    const [out, err] = [this.#stdout.over(nonce), this.#stderr.over(nonce)]
    if (!out || !err) return undefined
    return { exitCode: out.status, stdout: this.#stdout.until(out.at), stderr: this.#stderr.until(err.at) }
  }

  #heard(output: Output, chunk: Buffer): void {
    output.push(chunk)
    this.#look()
  }

  #end(cause: unknown): void {
    this.#ended ??= { cause }
    this.#look()
  }

  #until<T>(found: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const value = found()
        if (value !== undefined) resolve(value)
        else if (this.#ended) reject(this.#ended.cause)
      }
      this.#look()
    })
  }
}

/** What one stream said since the call began. */
class Output {
  readonly #chunks: Buffer[] = []
  #length = 0
  #over: Over | undefined
  /** What came last, behind the last bytes of what was there before: what a stream says may come in two pieces. */
  newest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    this.newest = Buffer.concat([this.newest.subarray(-128), chunk])
  }

  /** How the call ended, and so many bytes behind its beginning; asked behind each piece. */
  over(nonce: string): Over | undefined {
    const found = this.#over ? undefined : overOf({ nonce, text: this.newest })
    if (found) this.#over = { ...found, at: this.#length - this.newest.length + found.at }
    return this.#over
  }

  until(at: number): Buffer {
    return Buffer.concat(this.#chunks).subarray(0, at)
  }
}

function endedEarly(): StepbackError {
  const message = 'a command on the host ended without an exit status'
  return new StepbackError({ type: 'Unreachable', message, hint: 'its outcome is unknown; look at the host' })
}
