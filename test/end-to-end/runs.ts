// Runs of a sandbox, and what must be so at the end of each: nothing is left of it, and no row is lost.

import { expect } from 'vitest'
import { doneTwice, leftovers } from './leftovers.js'
import type { Operator } from './operator.js'

export class Runs {
  static async on(operator: Operator): Promise<Runs> {
    return new Runs(operator, await operator.rows())
  }

  private constructor(
    private readonly operator: Operator,
    private readonly rowsAtFirst: Record<string, string>,
  ) {}

  async deploy(run: string, version: string, more: object = {}): Promise<void> {
    const release = this.operator.sandbox.releases[version]
    const request = { target: 'aria', version, release, reason: 'a test', ...more }
    await this.operator.start('deployWorkflow', run, request)
  }

  async rollback(run: string, more: object = {}): Promise<void> {
    await this.operator.start('rollbackWorkflow', run, { target: 'aria', reason: 'a test', ...more })
  }

  async ends(run: string, outcome: string): Promise<void> {
    expect(await this.operator.end(run)).toMatchObject({ outcome })
    expect(await leftovers(this.operator)).toBe('')
    expect(await this.operator.rows()).toEqual(this.rowsAtFirst)
  }

  async once(run: string): Promise<void> {
    expect(doneTwice(this.operator, await this.operator.runId(run))).toBe('')
  }
}
