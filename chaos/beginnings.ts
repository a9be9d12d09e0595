// Brings the target to where a scenario begins, by runs to which nothing happens; these have to go well, too.

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifest } from '../src/plan/manifest.js'
import type { StepbackClient } from '../src/client.js'
import { begunAt } from './chain.js'
import type { Ground } from './ground.js'
import { look, visitsOf } from './look.js'
import { attend } from './person.js'
import type { Scenario } from './scenarios.js'
import { comeToRest } from './settle.js'
import { type Seen, differences } from './seen.js'
import { type Known, asBefore } from './wishes.js'

/** So many trials, and what nobody keeps is removed. */
const prunesEvery = 8

export class Beginnings {
  readonly #schemas = new Map<string, Pick<Seen, 'schema' | 'migrations'>>()
  #point: Known['point']
  /** Which beginning the target is known to be at. */
  #at: Scenario['from'] | 'somewhere' | 'stopped' = '2.0.0'
  #runs = 0

  constructor(private readonly ground: Ground) {}

  get known(): Known {
    return { releases: this.ground.sandbox.releases, schemas: this.#schemas, point: this.#point }
  }

  /** Where the target is now, seen from outside. */
  async reach(scenario: Scenario): Promise<Seen> {
    const { from } = scenario
    if (this.#schemas.size === 0) this.#learn(await this.#look())
    await this.#prune()
    const warm = scenario.request['strategy'] !== 'swap' || (await this.#isWarm())
    if (this.#point && this.#at === from && warm) return this.#learn(await this.#look())
    if (this.#at === 'stopped') {
      await this.#run((it, target) => it.startEmergency({ target, procedure: 'start', reason: 'chaos' }))
      this.#at = '2.1.0'
      return await this.reach(scenario)
    }
    // The first time there is no way back yet; and containers that nobody deployed are made anew by a first deploy.
    if (this.#point === undefined) {
      await this.#deploy()
      return await this.reach(scenario)
    }
    if (this.#at !== '2.0.0') await this.#goBack()
    if (from === '2.1.0') await this.#deploy()
    return this.#learn(await this.#look())
  }

  /** What a run has left behind, by the name of the state that it was found in. */
  left({ scenario, state, run }: { readonly scenario: Scenario; readonly state: string; readonly run: string }): void {
    if (state === 'as before') return
    const { wanted } = scenario
    this.#at = state === 'at 2.0.0' ? '2.0.0' : 'somewhere'
    if (state !== 'as planned') return
    if (wanted === 'the same') this.#at = scenario.from
    else if ('stopped' in wanted) this.#at = 'stopped'
    else if ('back' in wanted && wanted.back === 'full') this.#at = '2.0.0'
    else if ('release' in wanted && wanted.release === '2.1.0') this.#deployed(run)
  }

  /** Somebody's own work is in it, or nobody knows. */
  leftSomewhere(): void {
    this.#at = 'somewhere'
  }

  /** Only while the restore point of 2.0.0 is the one that the current release would go back to: it is kept then. */
  async #prune(): Promise<void> {
    this.#runs += 1
    if (this.#at !== '2.1.0' || this.#runs <= prunesEvery) return
    await this.#run((it, target) => it.startBackup({ target, what: 'prune', reason: 'chaos' }))
    this.#runs = 0
  }

  async #goBack(): Promise<void> {
    const point = this.#point!
    await this.#run((it, target) => it.startRollback({ target, to: point.id, reason: 'chaos: back to the beginning' }))
    await comeToRest(this.ground)
    const wrong = differences(await this.#look(), asBefore(point.seen))
    if (wrong.length > 0) throw new Error(`the way back to 2.0.0 did not lead there: ${wrong.join('; ')}`)
    this.#at = '2.0.0'
  }

  async #deploy(): Promise<void> {
    const version = '2.1.0'
    const release = this.ground.sandbox.releases[version]!
    this.#before = await this.#look()
    this.#deployed(await this.#run((it, target) => it.startDeploy({ target, version, release, reason: 'chaos' })))
  }

  #before: Seen | undefined

  /** The run took a restore point of 2.0.0, which is the way back from now on. */
  #deployed(run: string): void {
    const ids = readdirSync(this.ground.sandbox.backups).flatMap((it) => /^manifest_(.*)\.json$/.exec(it)?.[1] ?? [])
    const id = ids.toSorted().findLast((it) => this.#manifest(it).run.workflowId === run)
    if (id === undefined || !this.#before) return void (this.#at = 'somewhere')
    this.#point = { id, seen: this.#before, takenAt: begunAt(this.ground.state, run, 'takeRestorePoint')! }
    this.#at = '2.1.0'
  }

  #manifest(id: string) {
    return parseManifest(readFileSync(join(this.ground.sandbox.backups, `manifest_${id}.json`), 'utf8'))
  }

  /** Whether a database stands ready to be swapped in; a server that crashed since vouches for none. */
  async #isWarm(): Promise<boolean> {
    const id = this.#point?.id
    if (id === undefined || !existsSync(join(this.ground.sandbox.backups, `manifest_${id}.json`))) return false
    const { warm } = this.#manifest(id).database ?? {}
    return warm !== undefined && (await visitsOf(this.ground, warm.name)) === warm.visits
  }

  async #run(start: (client: StepbackClient, target: string) => Promise<string>): Promise<string> {
    const { client, sandbox } = this.ground
    const run = await start(client, sandbox.target)
    const { outcome, message } = await attend(client, run)
    if (outcome !== 'done') throw new Error(`${run}, to which nothing happened, ended as ${outcome}: ${message}`)
    return run
  }

  /** What is not there now was given up on the way here. */
  async #look(): Promise<Seen> {
    const { writer } = this.ground
    const upTo = writer.acknowledged.at(-1)?.number ?? 0
    const seen = await look(this.ground)
    writer.keepOnly(seen.rows, upTo)
    return seen
  }

  /** What a release's schema is shows where a release is reached without a fault. */
  #learn(seen: Seen): Seen {
    this.#before = seen
    if (!this.#schemas.has(seen.version)) {
      this.#schemas.set(seen.version, { schema: seen.schema, migrations: seen.migrations })
    }
    return seen
  }
}
