// One SSH connection to one host. What it cannot know it does not answer: a dead connection throws, it is never exit 0.
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Client, ClientChannel, SFTPWrapper } from 'ssh2'
import { StepbackError } from '../plan/failure.js'
import { type Uploaded, collect, send } from './ssh/channel.js'
import type { ExecResult } from './ssh/channel.js'
import { connect } from './ssh/connect.js'
import { reason, where } from './ssh/hop.js'
import type { HopOptions, SshOptions } from './ssh/hop.js'
import { openTunnel } from './ssh/tunnel.js'
import type { Tunnel } from './ssh/tunnel.js'

export type { ExecResult } from './ssh/channel.js'
export type { SshOptions } from './ssh/hop.js'
export type { Tunnel } from './ssh/tunnel.js'

/** OpenSSH allows 10 sessions on a connection (MaxSessions); the rest is left to people who share it. */
const maxSessions = 8
/** SSH_OPEN_CONNECT_FAILED: sshd's answer to a session beyond MaxSessions. */
const connectFailed = 2
const openAttempts = 12

export class SshConnection {
  /**
   * Connects and logs in, hop by hop, each under its own name. `Refused` for a host key that is not known as it is,
   * `InvalidConfiguration` where there is no key to log in with; else `Unreachable`.
   */
  static async open(options: SshOptions): Promise<SshConnection> {
    let before: SshConnection | undefined
    for (const hop of [...(options.via ?? []), options]) {
      try {
        const sock = await before?.dial(hop)
        before = new SshConnection(await connect(hop, sock), hop, before)
      } catch (error) {
        before?.destroy()
        throw error
      }
    }
    return before as SshConnection
  }

  #client: Client
  #options: HopOptions
  #before: SshConnection | undefined
  #closed = false
  #closing: Promise<void>
  #cause: Error | undefined
  #free = maxSessions
  #waiting: (() => void)[] = []
  #dying = new Set<() => void>()
  #tunnels = new Set<Tunnel>()

  private constructor(client: Client, options: HopOptions, before: SshConnection | undefined) {
    this.#client = client
    this.#options = options
    this.#before = before
    // Ends go together: a hop is of no use without what it leads to, and the other way round.
    if (before) void before.#closing.then(() => this.destroy())
    client.on('error', (error) => (this.#cause ??= error))
    this.#closing = new Promise((resolve) =>
      client.once('close', () => {
        this.#closed = true
        for (const die of this.#dying) die()
        before?.destroy()
        resolve()
      }),
    )
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Who is logged in where, and through which hops. */
  get where(): string {
    return this.#before ? `${where(this.#options)} through ${this.#before.where}` : where(this.#options)
  }

  /** Runs one command without a terminal. Throws `Unreachable` when the connection died before the exit was known. */
  exec(input: { command: string; stdin?: string | Buffer; signal?: AbortSignal | undefined }): Promise<ExecResult> {
    return this.#session(input.signal, async (aborted) => {
      const collecting = await this.#open<ClientChannel, { ended: Promise<ExecResult> }>(
        (done) => this.#client.exec(input.command, done),
        // At once, not a microtask later: the exit may have come in the same packet as the channel.
        (stream) => {
          aborted(() => {
            stream.signal('TERM')
            stream.close()
          })
          return { ended: collect(stream, input.stdin) }
        },
      )
      return collecting.ended
    })
  }

  /** Opens one that stays, and takes a session until it is closed; `closed` throws `Unreachable` for a dead connection. */
  hold(command: string): Promise<{ readonly stream: ClientChannel; readonly closed: Promise<void> }> {
    return new Promise((resolve, reject) => {
      const closed: Promise<void> = this.#session(undefined, async () => {
        const ending = await this.#open<ClientChannel, Promise<unknown>>(
          (done) => this.#client.exec(command, done),
          (stream) => {
            resolve({ stream, closed: closed })
            return once(stream, 'close')
          },
        )
        await ending
      })
      closed.catch(reject)
    })
  }

  /** Streams a local file, or what is written meanwhile, into a new remote one by SFTP, parent directories included; for the run's own staging only. */
  upload(input: { remotePath: string; mode: number; signal?: AbortSignal | undefined } & Uploaded): Promise<void> {
    return this.#session(input.signal, async (aborted) => {
      const sftp = await this.#open<SFTPWrapper, SFTPWrapper>(
        (done) => this.#client.sftp(done),
        (opened) => opened,
      )
      aborted(() => sftp.destroy())
      try {
        await send(sftp, input)
      } finally {
        sftp.end()
      }
    })
  }

  /** A stream to a port as the host sees it. */
  dial(input: { host: string; port: number }): Promise<Duplex> {
    const { host, port } = input
    return this.#alive(() =>
      this.#call<ClientChannel, ClientChannel>(
        (done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done),
        (stream) => stream,
        ` to ${host}, port ${port}`,
      ),
    )
  }

  /** A local port on 127.0.0.1 that leads to a port as the host sees it, until it or the connection is closed. */
  async tunnel(input: { host: string; port: number }): Promise<Tunnel> {
    const opened = await openTunnel(() => this.dial(input))
    const tunnel: Tunnel = {
      port: opened.port,
      close: () => {
        this.#tunnels.delete(tunnel)
        return opened.close()
      },
    }
    this.#tunnels.add(tunnel)
    return tunnel
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tunnels].map((tunnel) => tunnel.close()))
    if (this.#closed) return
    this.#client.end()
    const late = setTimeout(() => this.#client.destroy(), 1_000)
    await this.#closing
    clearTimeout(late)
  }

  /** Cuts the connection without a farewell, as a dead link would; for what must not wait. */
  destroy(): void {
    this.#client.destroy()
  }

  // One of the sessions that the server allows; others wait for their turn.
  async #session<T>(
    signal: AbortSignal | undefined,
    act: (aborted: (stop: () => void) => void) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#alive(() => new Promise<void>((resolve) => this.#waiting.push(resolve)))
    let stop: (() => void) | undefined
    let onAbort: (() => void) | undefined
    // The command may not care, and its channel stays open until it ends: the caller does not wait for that.
    const aborting = new Promise<never>((_, reject) => {
      onAbort = () => {
        stop?.()
        reject(signal?.reason)
      }
    })
    aborting.catch(() => undefined)
    signal?.addEventListener('abort', onAbort as () => void)
    try {
      signal?.throwIfAborted()
      const acting = this.#alive(() =>
        act((stopper) => {
          stop = stopper
          if (signal?.aborted) stopper()
        }),
      )
      return await Promise.race([acting, aborting])
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort as () => void)
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }

  // On a dead link ssh2 may never call back, so every call races with the connection's own end. Not by Promise.race with
  // one promise for the connection's life: that would keep every call's output until then.
  #alive<T>(act: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.#lost())
    return new Promise((resolve, reject) => {
      const die = () => reject(this.#lost())
      this.#dying.add(die)
      act()
        .then(resolve, reject)
        .finally(() => this.#dying.delete(die))
    })
  }

  // sshd counts a session until its process has ended and its pipes are closed, which is later than what we see: a
  // refused session did nothing and is asked for again.
  async #open<T, R>(
    start: (done: (error: Error | undefined, value: T) => void) => unknown,
    accept: (value: T) => R,
  ): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#call(start, accept)
      } catch (error) {
        const refused = ((error as Error).cause as { reason?: number } | undefined)?.reason === connectFailed
        if (!refused || attempt === openAttempts) throw error
        await new Promise((resolve) => setTimeout(resolve, attempt * 20))
      }
    }
  }

  #call<T, R>(
    start: (done: (error: Error | undefined, value: T) => void) => unknown,
    accept: (value: T) => R,
    to = '',
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const failed = (cause: unknown) => reject(this.#closed ? this.#lost() : this.#refusedChannel(cause, to))
      try {
        start((error, value) => (error ? failed(error) : resolve(accept(value))))
      } catch (cause) {
        failed(cause) // a closed connection throws here instead of calling back
      }
    })
  }

  #lost(): StepbackError {
    return new StepbackError({
      type: 'Unreachable',
      message: `the connection to '${where(this.#options)}' ended before the answer: ${reason(this.#cause)}`,
      hint: 'what was under way is unknown; the next attempt looks at the host and goes on from there',
      cause: this.#cause,
    })
  }

  #refusedChannel(cause: unknown, to: string): StepbackError {
    return new StepbackError({
      type: 'Unreachable',
      message: `'${where(this.#options)}' opened no channel${to}: ${reason(cause)}`,
      hint: 'is MaxSessions in sshd_config below 10, is AllowTcpForwarding off, or is the port closed on the host?',
      cause,
    })
  }
}
