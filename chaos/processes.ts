// The sandbox's own processes, ended without a farewell and started again by the command that it remembers.

import type { Session } from '../sandbox/index.js'
import { forgetKilledEngine } from '../sandbox/docker.js'
import { type OwnProcess, findProcess, isRunning, startProcess } from '../sandbox/processes.js'
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
    let known = (await findProcess(this.session.state.processes[name])) ?? (await this.#begin(name))
    const answers = async () => {
      // An engine gives up where what was killed with it takes its time to go.
      if (!(await isRunning(known))) known = await this.#begin(name)
      return await this.#answers(name)
    }
    await waitFor(name, answers, { timeoutMs: 90_000 })
  }

  async #begin(name: Name): Promise<OwnProcess> {
    const { env, paths, state } = this.session
    if (name === 'dockerd') forgetKilledEngine(paths)
    const { command, log } = state.processes[name]!
    return await startProcess({ command, log, env })
  }

  async #answers(name: Name): Promise<boolean> {
    const { env, state } = this.session
    const health = [this.cli, 'operator', 'cluster', 'health', '--address', `127.0.0.1:${state.ports.temporal}`]
    return (await attempt(name === 'dockerd' ? ['docker', 'version'] : health, { env })).code === 0
  }
}
