// The sandbox's own processes, ended without a farewell and started again by the command that it remembers.

import type { Session } from '../sandbox/index.js'
import { findProcess, isRunning, startProcess } from '../sandbox/processes.js'
import { attempt, waitFor } from '../sandbox/run.js'

type Name = 'temporal' | 'dockerd'

export class Processes {
  constructor(
    private readonly session: Session,
    private readonly cli: string,
  ) {}

  async kill(name: Name): Promise<void> {
    const found = await findProcess(this.session.state.processes[name])
    if (!found) return
    process.kill(found.pid, 'SIGKILL')
    await waitFor(`end of ${name}`, async () => !(await isRunning(found)), { timeoutMs: 10_000 })
  }

  async start(name: Name): Promise<void> {
    const known = this.session.state.processes[name]!
    if (await findProcess(known)) return
    const { env } = this.session
    await startProcess({ command: known.command, log: known.log, env })
    await waitFor(name, () => this.#answers(name), { timeoutMs: 60_000 })
  }

  async #answers(name: Name): Promise<boolean> {
    const { env, state } = this.session
    const health = [this.cli, 'operator', 'cluster', 'health', '--address', `127.0.0.1:${state.ports.temporal}`]
    return (await attempt(name === 'dockerd' ? ['docker', 'version'] : health, { env })).code === 0
  }
}
