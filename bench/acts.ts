// The product's own acts, run as a worker runs them: under a lease, with ledger, jobs and journal. Temporal alone is left
// out, so that an act is measured and not the way to it.

import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import type { ActResult } from '../src/activities/act-input.js'
import type { Deps } from '../src/activities/deps.js'
import { createActivities, type StepbackActivities } from '../src/activities/index.js'
import { readManifest } from '../src/activities/observe/manifests.js'
import { Look } from '../src/activities/observe/look.js'
import { quote } from '../src/commands/shell.js'
import { compose } from '../src/composition.js'
import type { Config } from '../src/config/schema.js'
import type { ActArgs, ActName } from '../src/plan/act.js'
import { type RunId, restorePointId } from '../src/plan/ledger.js'
import type { Manifest } from '../src/plan/manifest.js'
import type { Shown } from '../src/plan/plan.js'
import type { Ground } from './ground.js'

let restorePoints = 0

/** As an activity of the run. */
type Inside = <T>(activity: () => Promise<T>) => Promise<T>

export class Acts {
  /** A run of its own, from taking the lease to giving it back; connections are open when the work begins. */
  static async during<T>(ground: Ground, work: (acts: Acts) => Promise<T>, config: Config = ground.config): Promise<T> {
    const { deps, close } = compose({ config, namespace: ground.sandbox.temporal.namespace })
    const runId = randomUUID()
    const run = { workflowId: `bench-${runId}`, runId }
    const info = { workflowExecution: run, workflowType: 'rollbackWorkflow' }
    const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') })
    const inside: Inside = (activity) => environment.run(activity) as ReturnType<typeof activity>
    const activities = createActivities(deps)
    const target = ground.target.name
    try {
      const { token } = await inside(() => activities.acquireLease({ target, kind: 'rollback' }))
      try {
        return await work(new Acts(deps, target, inside, activities, run, token))
      } finally {
        await inside(() => activities.finishRun({ target, token, outcome: 'done' }))
      }
    } finally {
      await close()
    }
  }

  #step = 0

  private constructor(
    readonly deps: Deps,
    private readonly target: string,
    private readonly inside: Inside,
    private readonly activities: StepbackActivities,
    private readonly run: RunId,
    private readonly token: number,
  ) {}

  /** One act as a step of its own; `undo` makes it part of the undo of that step. */
  async do<N extends ActName>(
    name: N,
    args: ActArgs[N],
    options: { readonly undo?: boolean; readonly shown?: Shown; readonly safety?: string } = {},
  ): Promise<string | null> {
    const { undo = false, shown = {}, safety = '20260101T000000Z-none' } = options
    const step = (this.#step += 1)
    const own = { target: this.target, token: this.token, origin: this.run, safety, shown }
    const input = { ...own, step, stepName: name, undo: undo ? 1 : 0, attempt: 1, args }
    const act = this.activities[name] as (it: typeof input) => Promise<ActResult>
    return (await this.inside(() => act(input))).detail
  }

  /** Takes a restore point of the database as it is now. */
  async takeRestorePoint(): Promise<Manifest> {
    restorePoints += 1
    const version = `bench.${restorePoints}`
    const safety = restorePointId({ at: new Date().toISOString(), version })
    await this.do('takeRestorePoint', { version, database: 'dump', head: null, paths: [] }, { safety })
    return await readManifest(await this.look(), safety)
  }

  /** For what a planner looks at. */
  look(): Promise<Look> {
    return Look.at(this.deps, this.target)
  }
}

/** Removes the files of a restore point, so that the next one finds the same room. */
export async function forget(ground: Ground, { id }: Manifest): Promise<void> {
  await ground.shell(`cd ${quote(ground.target.backups)} && rm -f *_${quote(id)}.* *_${quote(id)}\n`)
}
