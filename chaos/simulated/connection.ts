// A connection as the adapters know it, to a host that is simulated: what is said over it may be lost, or its answer.

import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { againIfQuick } from '../../src/adapters/again.js'
import type { SshConnection } from '../../src/adapters/ssh.js'
import { StepbackError } from '../../src/plan/failure.js'
import type { Fault, Faults } from './faults.js'
import type { SimulatedHost } from './host.js'

export class SimulatedConnection {
  #closed = false
  readonly #dying = new Set<(lost: StepbackError) => void>()

  constructor(
    readonly host: SimulatedHost,
    private readonly faults: Faults,
  ) {}

  /** As everybody else sees it. */
  get asSsh(): SshConnection {
    return this as unknown as SshConnection
  }

  get closed(): boolean {
    return this.#closed
  }

  get where(): string {
    return `simulated@${this.host.name}`
  }

  /** One command, whatever it is for. `halve` makes the half of an answer; where there is none it is simply lost. */
  async command<T>(what: string, act: () => Promise<T>, halve?: (whole: T) => T): Promise<T> {
    if (this.#closed) throw lost(what)
    const fault = this.faults.of(what)
    return await this.#alive(() => this.#meet(what, fault, act, halve))
  }

  async exec(input: { readonly command: string; readonly stdin?: string | Buffer }) {
    const { what, act } = this.host.program(input.command, Buffer.from(input.stdin ?? ''))
    return await this.command(what, act, (whole) => ({
      ...whole,
      exitCode: null as number | null,
      stdout: whole.stdout.subarray(0, whole.stdout.length / 2),
    }))
  }

  async upload({ remotePath }: { readonly remotePath: string }): Promise<void> {
    await this.command(`upload ${this.host.neutral(remotePath)}`, async () => this.host.stage(remotePath))
  }

  /** No lane can be had here, so each call has a session of its own: each is a command that may fail. */
  async hold(command: string) {
    const stream = Object.assign(new EventEmitter(), {
      stderr: new EventEmitter(),
      write() {},
      signal() {},
      close() {},
    })
    setImmediate(() => stream.emit('data', Buffer.from(`\n@@${command.split(' ').at(-1)} alone\n`)))
    return { stream, closed: new Promise<void>(() => {}) }
  }

  async #meet<T>(what: string, fault: Fault | undefined, act: () => Promise<T>, halve?: (whole: T) => T): Promise<T> {
    await turn()
    if (fault === 'unsent') throw lost(what)
    if (fault === 'closed before') this.#close(what)
    const whole = await act()
    if (fault === 'closed behind') this.#close(what)
    if (fault === 'unanswered' || (fault === 'halved' && !halve)) throw lost(what)
    await turn()
    return fault === 'halved' ? halve!(whole) : whole
  }

  /** What is under way on it is lost with it, wherever it is by then. */
  #close(what: string): never {
    this.#closed = true
    for (const die of this.#dying) die(lost(what))
    throw lost(what)
  }

  #alive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#dying.add(reject)
      work()
        .then(resolve, reject)
        .finally(() => this.#dying.delete(reject))
    })
  }
}

/** Opened when it is needed, and again when it died; opening one may fail like any command. */
export class SimulatedPool {
  #opening: Promise<SimulatedConnection> | undefined
  #open: SimulatedConnection | undefined

  constructor(
    readonly host: SimulatedHost,
    private readonly faults: Faults,
  ) {}

  ssh(): Promise<SimulatedConnection> {
    if (this.#open && !this.#open.closed) return Promise.resolve(this.#open)
    this.#opening ??= againIfQuick(() => this.#connect()).finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async #connect(): Promise<SimulatedConnection> {
    await turn()
    if (this.faults.of('connect') !== undefined) throw lost('connect')
    return (this.#open = new SimulatedConnection(this.host, this.faults))
  }
}

function lost(what: string): StepbackError {
  return new StepbackError({ type: 'Unreachable', message: `the connection ended before the answer to '${what}'` })
}
