// Looking at a target before there is a lease: everything that can refuse a run is found here.

import { containersAround, readEnvFile } from '../../commands/observe.js'
import type { Target } from '../../config/schema.js'
import { findTarget } from '../../config/load.js'
import { StepbackError } from '../../plan/failure.js'
import type { Recorded } from '../../plan/ledger.js'
import type { Shelf } from '../../plan/shelf.js'
import type { Host } from '../../adapters/host.js'
import type { SshConnection } from '../../adapters/ssh.js'
import type { Deps } from '../deps.js'
import { type InspectedContainer, type Listed, inspectedOf, listedOf } from './containers.js'
import { ledgerRecords } from './ledger.js'
import { readShelf } from './manifests.js'

export interface Answer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export class Look {
  readonly target: Target
  readonly host: Host
  #around: Promise<Answer> | undefined
  #inspected: Promise<readonly InspectedContainer[]> | undefined
  #records: Promise<readonly Recorded[]> | undefined
  #shelf: Promise<Required<Shelf>> | undefined
  #environment: Promise<Answer> | undefined

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

  /** What Docker answers who asks it for containers; asked once, since every part of a look goes by the same ones. */
  readonly containers = (): Promise<Answer> =>
    (this.#around ??= this.try(containersAround(this.target.compose.project)))

  /** Every container of the host. */
  readonly listed = async (): Promise<readonly Listed[]> => listedOf((await this.#containers())[0])

  /** This project's own. */
  readonly inspected = (): Promise<readonly InspectedContainer[]> =>
    (this.#inspected ??= this.#containers().then(([, described]) => inspectedOf(described)))

  /** The whole ledger. */
  readonly records = (): Promise<readonly Recorded[]> => (this.#records ??= ledgerRecords(this.host))

  /** Every restore point. */
  readonly shelf = (): Promise<Required<Shelf>> => (this.#shelf ??= readShelf(this))

  /** The live environment file; it holds secrets, so nobody keeps it for longer than the look takes. */
  readonly environment = (): Promise<Answer> =>
    (this.#environment ??= this.try(readEnvFile(this.target.directory, this.target.compose.envFile)))

  /** What a script answered, whatever its exit status. */
  async try(script: string): Promise<Answer> {
    return await this.host.look({ script })
  }

  async look(script: string): Promise<string> {
    return this.ofWell(await this.try(script))
  }

  /** What was printed by a script that has to end well. */
  ofWell({ exitCode, stdout }: Answer): string {
    if (exitCode === 0) return stdout
    throw new StepbackError({
      type: 'Refused',
      message: `a look at target "${this.target.name}" ended with exit status ${exitCode}`,
      hint: `run \`stepback doctor ${this.target.name}\`.`,
    })
  }

  async #containers(): Promise<readonly [string, string]> {
    const stdout = this.ofWell(await this.containers())
    const end = stdout.indexOf('\n\n')
    return [stdout.slice(0, end), stdout.slice(end)]
  }
}
