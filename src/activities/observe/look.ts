// Looking at a target before there is a lease: everything that can refuse a run is found here.

import type { Target } from '../../config/schema.js'
import { findTarget } from '../../config/load.js'
import { StepbackError } from '../../plan/failure.js'
import type { Host } from '../../adapters/host.js'
import type { SshConnection } from '../../adapters/ssh.js'
import type { Deps } from '../deps.js'
import { type InspectedContainer, inspectContainers } from './containers.js'

export interface Answer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export class Look {
  readonly target: Target
  readonly host: Host
  #inspected: Promise<InspectedContainer[]> | undefined

  static async at(deps: Deps, name: string): Promise<Look> {
    const target = findTarget(deps.config, name)
    return new Look(deps, target, await deps.hosts.ssh(target))
  }

  private constructor(
    readonly deps: Deps,
    target: Target,
    readonly ssh: SshConnection,
  ) {
    this.target = target
    this.host = deps.hosts.host(target)
  }

  /** Asked once: every part of a look goes by the same containers. */
  readonly inspected = (): Promise<InspectedContainer[]> => (this.#inspected ??= inspectContainers(this))

  /** What a script answered, whatever its exit status. */
  async try(script: string): Promise<Answer> {
    return await this.host.look({ script })
  }

  async look(script: string): Promise<string> {
    const { exitCode, stdout } = await this.try(script)
    if (exitCode === 0) return stdout
    throw new StepbackError({
      type: 'Refused',
      message: `a look at target "${this.target.name}" ended with exit status ${exitCode}`,
      hint: `run \`stepback doctor ${this.target.name}\`.`,
    })
  }
}
