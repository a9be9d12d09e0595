// The ground of a trial: a sandbox of its own, with a wire to its SSH server and one to Temporal that can be cut, a small
// disk for its backups, a clock that can be moved, and a writer.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { parse, stringify } from 'yaml'
import { StepbackClient } from '../src/client.js'
import { type Sandbox, type Session, down, openSession, readSandbox, up } from '../sandbox/index.js'
import { stopProcess } from '../sandbox/processes.js'
import { HostClock, withMovedClock } from './clock.js'
import { Processes } from './processes.js'
import { Proxy } from './proxy.js'
import { Workers } from './workers.js'
import { Writer } from './writer.js'

const diskBytes = 600_000_000
/** Probes of containers are a good part of what several sandboxes at once do. */
const probeEvery = '5s'
/** What a run keeps free; the disk of the backups is smaller than the usual measure. */
const freeBytes = 100_000_000

export class Ground {
  /** Brings sandboxes up, one after the other, works on each of them at once, and takes them down whatever comes of it. */
  static async during(say: (line: string) => void, count: number, work: (it: Ground) => Promise<void>): Promise<void> {
    const roots = Array.from({ length: count }, () => mkdtempSync(join(tmpdir(), 'stepback-chaos-')))
    let leaving: Promise<unknown> | undefined
    const leave = () => void (leaving ??= Promise.allSettled(roots.map(remove)).finally(() => process.exit(1)))
    process.on('SIGINT', leave).on('SIGTERM', leave)
    const grounds: Ground[] = []
    try {
      for (const root of roots) {
        await up({ root, progress: say, probeEvery })
        grounds.push(await Ground.on(root))
      }
      await Promise.all(grounds.map(work))
    } finally {
      process.off('SIGINT', leave).off('SIGTERM', leave)
      await Promise.all(grounds.map((it) => it.leave()))
      await (leaving ?? Promise.all(roots.map(remove)))
    }
  }

  /** On a sandbox that is up, whose worker is ended. */
  static async on(root: string): Promise<Ground> {
    const sandbox = readSandbox(root)!
    const session = (await openSession(root))!
    await stopProcess(session.state.processes.worker)
    const { address, namespace } = sandbox.temporal
    const [ssh, server] = await Promise.all([
      Proxy.before(sandbox.ssh.port),
      Proxy.before(Number(address.split(':')[1])),
    ])
    const config = writeConfig(sandbox, session, ssh.port, `127.0.0.1:${server.port}`, 'stepback.yaml')
    const directConfig = writeConfig(sandbox, session, ssh.port, address, 'direct.yaml')
    failAtOnce(sandbox)
    const clock = HostClock.of(session)
    const workers = new Workers(config, join(session.paths.logs, 'chaos-worker.log'))
    const temporal = new Client({ connection: await Connection.connect({ address }), namespace })
    const client = await StepbackClient.connect(sandbox.temporal)
    const hasSmallDisk = process.getuid?.() === 0
    if (hasSmallDisk) mountSmallDisk(sandbox.backups)
    await workers.start()
    const wires = { ssh, server }
    return new Ground({ sandbox, session, client, temporal, wires, workers, clock, directConfig, hasSmallDisk })
  }

  readonly sandbox: Sandbox
  readonly session: Session
  readonly client: StepbackClient
  /** For what no operator does through stepback. */
  readonly temporal: Client
  readonly wires: { readonly ssh: Proxy; readonly server: Proxy }
  readonly workers: Workers
  readonly clock: HostClock
  readonly processes: Processes
  readonly writer: Writer
  /** Of a worker that reaches Temporal past the wire. */
  readonly directConfig: string
  readonly hasSmallDisk: boolean

  private constructor(
    made: Pick<
      Ground,
      'sandbox' | 'session' | 'client' | 'temporal' | 'wires' | 'workers' | 'clock' | 'directConfig' | 'hasSmallDisk'
    >,
  ) {
    this.sandbox = made.sandbox
    this.session = made.session
    this.client = made.client
    this.temporal = made.temporal
    this.wires = made.wires
    this.workers = made.workers
    this.clock = made.clock
    this.directConfig = made.directConfig
    this.hasSmallDisk = made.hasSmallDisk
    this.processes = new Processes(made.session, made.sandbox.temporal.cli)
    this.writer = new Writer(made.sandbox.database)
  }

  /** Where the host keeps what it knows of the target. */
  get state(): string {
    return join(this.sandbox.backups, '.stepback', this.sandbox.target)
  }

  get hasOwnEngine(): boolean {
    return this.session.state.processes.dockerd !== undefined
  }

  /** The environment of a worker whose clock is so many seconds off. */
  withClock(seconds: number): NodeJS.ProcessEnv {
    return withMovedClock(join(this.session.paths.root, 'chaos'), seconds)
  }

  /** Takes all room of the backups' disk but so many bytes; `Infinity` gives it back. */
  fillDisk(left: number): void {
    const ballast = join(this.sandbox.backups, '.ballast')
    rmSync(ballast, { force: true })
    const { bavail, bsize } = statfsSync(this.sandbox.backups)
    if (bavail * bsize > left) writeFileSync(ballast, Buffer.alloc(bavail * bsize - left))
  }

  /** Ends what is its own; the sandbox stays up, without a worker. */
  async leave(): Promise<void> {
    await this.writer.stop()
    await this.workers.end()
    await this.client.close()
    await this.temporal.connection.close()
    this.wires.ssh.end()
    this.wires.server.end()
    this.clock.right()
    if (this.hasSmallDisk) unmount(this.sandbox.backups)
  }
}

/** The release that is not healthy is so before it is watched, which is short here. */
function failAtOnce({ releases }: Sandbox): void {
  writeFileSync(join(releases['2.2.0-broken']!, 'aria_skills/release.py'), 'FAILS_AFTER_SECONDS = 0\n')
}

async function remove(root: string): Promise<void> {
  unmount(join(root, 'host', 'aria', 'backups'))
  await down({ root })
}

function unmount(directory: string): void {
  const mounts = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8') : ''
  if (mounts.includes(` ${directory} `)) execFileSync('umount', ['--lazy', directory])
}

/** In memory: what is there comes along, and it is really full when it is full. */
function mountSmallDisk(directory: string): void {
  const aside = `${directory}.aside`
  cpSync(directory, aside, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=0700`, 'none', directory])
  cpSync(aside, directory, { recursive: true })
  rmSync(aside, { recursive: true })
}

/** The sandbox's own, by way of the wires, with short waits, and with what a long trial must not keep. */
function writeConfig(sandbox: Sandbox, { paths }: Session, sshPort: number, address: string, name: string): string {
  const config = parse(readFileSync(sandbox.config, 'utf8')) as Record<string, object> & {
    targets: Record<string, Record<string, object>>
  }
  const target = config.targets[sandbox.target]!
  const knownHosts = join(paths.root, 'chaos', 'known_hosts')
  mkdirSync(join(paths.root, 'chaos'), { recursive: true })
  const hostKey = readFileSync(join(paths.ssh, 'host_ed25519.pub'), 'utf8')
  writeFileSync(knownHosts, `[127.0.0.1]:${sshPort} ${hostKey}`)
  Object.assign(target, {
    ssh: { ...target['ssh'], port: sshPort, knownHosts: [knownHosts] },
    health: { ...target['health'], timeout: '10s', interval: '300ms' },
    watch: { window: '1s', interval: '300ms', failures: 3 },
    database: { ...target['database'], keepFormer: '1m' },
    retention: { restorePoints: 3 },
    disk: { freeBytes },
  })
  // Two workers would want one port for their metrics.
  const { metrics: _, ...rest } = config
  const temporal = { ...config['temporal'], address }
  const file = join(paths.root, 'chaos', name)
  writeFileSync(file, stringify({ ...rest, temporal }))
  return file
}
