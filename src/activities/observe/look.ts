// Looking at a target before there is a lease: everything that can refuse a run is found here.

import { everyContainer } from '../../commands/observe.js'
import type { Target } from '../../config/schema.js'
import { findTarget } from '../../config/load.js'
import { StepbackError } from '../../plan/failure.js'
import type { Host } from '../../adapters/host.js'
import type { SshConnection } from '../../adapters/ssh.js'
import type { Deps } from '../deps.js'
import { type InspectedContainer, type Listed, inspectThese, listedOf } from './containers.js'

export interface Answer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export class Look {
  readonly target: Target
  readonly host: Host
  #listing: Promise<Answer> | undefined
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

  /** What Docker answers who asks it for every container; asked once. */
  readonly listing = (): Promise<Answer> => (this.#listing ??= this.try(everyContainer))

  readonly listed = async (): Promise<readonly Listed[]> => listedOf(this.#ofWell(await this.listing()))

  /** Asked once: every part of a look goes by the same containers. */
  readonly inspected = (): Promise<InspectedContainer[]> => (this.#inspected ??= this.#inspectListed())

  /** What a script answered, whatever its exit status. */
  async try(script: string): Promise<Answer> {
    return await this.host.look({ script })
  }

  async look(script: string): Promise<string> {
    return this.#ofWell(await this.try(script))
  }

  async #inspectListed(): Promise<InspectedContainer[]> {
    const { project } = this.target.compose
    const own = (await this.listed()).filter((it) => it.project === project && it.madeBy === 'up')
    return await inspectThese(
      this,
      own.map((it) => it.id),
    )
  }

  #ofWell({ exitCode, stdout }: Answer): string {
    if (exitCode === 0) return stdout
    throw new StepbackError({
      type: 'Refused',
      message: `a look at target "${this.target.name}" ended with exit status ${exitCode}`,
      hint: `run \`stepback doctor ${this.target.name}\`.`,
    })
  }
}
