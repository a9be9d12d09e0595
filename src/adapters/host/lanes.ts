// The lanes of a connection: as many as are used at a time, up to a bound, and none for long when nothing is said.
import type { SshConnection } from '../ssh.js'
import { Lane } from './lane.js'
import type { LaneCall } from './lane.js'

/** Of the 8 sessions of a connection; the others are for uploads, and for calls that find every lane taken. */
const maxLanes = 6
/** How long a call waits for a lane that another one holds: a login shell often takes longer to start than that. */
const patienceMs = 250
/** Nothing of ours stays on a host for long while nothing is asked of it. */
const idleMs = 30_000

export interface CallResult {
  readonly exitCode: number | null
  readonly stdout: Buffer
  readonly stderr: Buffer
}

const known = new WeakMap<SshConnection, Lanes>()

/** Runs one command: in a lane where one is free soon or may be opened, else in a session of its own. */
export async function execInLane(ssh: SshConnection, shell: string, call: LaneCall): Promise<CallResult> {
  let lanes = known.get(ssh)
  if (!lanes) known.set(ssh, (lanes = new Lanes(ssh)))
  const lane = await lanes.take(shell)
  if (!lane) return await ssh.exec({ ...call, stdin: call.stdin ?? '' })
  try {
    const result = await lane.exec(call)
    // Killed: what it had begun may live on, and would speak into the next call.
    if (result.exitCode > 128) lane.close()
    return result
  } finally {
    lanes.giveBack(shell, lane)
  }
}

class Lanes {
  readonly #ssh: SshConnection
  #open = 0
  #free: { readonly shell: string; readonly lane: Lane; readonly idle: NodeJS.Timeout }[] = []
  readonly #waiting: { readonly shell: string; readonly take: (lane: Lane) => void }[] = []
  /** Shells that can have no lane on this host. */
  readonly #alone = new Set<string>()

  constructor(ssh: SshConnection) {
    this.#ssh = ssh
  }

  async take(shell: string): Promise<Lane | undefined> {
    for (const { lane } of this.#free.filter((it) => it.lane.closed)) this.#drop(lane)
    const free = this.#free.findLast((it) => it.shell === shell)
    if (free) return this.#remove(free.lane)
    if (this.#alone.has(shell)) return undefined
    return await (this.#open < maxLanes ? this.#add(shell) : this.#wait(shell))
  }

  giveBack(shell: string, lane: Lane): void {
    if (lane.closed) return this.#drop(lane)
    const next = this.#waiting.findIndex((it) => it.shell === shell)
    if (next >= 0) return this.#waiting.splice(next, 1)[0]!.take(lane)
    const idle = setTimeout(() => this.#drop(lane), idleMs)
    idle.unref()
    this.#free.push({ shell, lane, idle })
  }

  #wait(shell: string): Promise<Lane | undefined> {
    return new Promise((resolve) => {
      const waiter = {
        shell,
        take: (lane: Lane) => {
          clearTimeout(patience)
          resolve(lane)
        },
      }
      const patience = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        resolve(undefined)
      }, patienceMs)
      this.#waiting.push(waiter)
    })
  }

  async #add(shell: string): Promise<Lane | undefined> {
    this.#open += 1
    let lane: Lane | undefined
    try {
      lane = await Lane.open(this.#ssh, shell)
      if (!lane) this.#alone.add(shell)
      return lane
    } finally {
      if (!lane) this.#open -= 1
    }
  }

  #drop(lane: Lane): void {
    this.#remove(lane)
    this.#open -= 1
    lane.close()
  }

  #remove(lane: Lane): Lane {
    for (const { idle } of this.#free.filter((it) => it.lane === lane)) clearTimeout(idle)
    this.#free = this.#free.filter((it) => it.lane !== lane)
    return lane
  }
}
