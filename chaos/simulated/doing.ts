// Which act is under way: the simulated host does what the act is to do, and reads no shell.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { StepbackActivities } from '../../src/activities/index.js'
import type { ActName } from '../../src/plan/act.js'

export interface Doing {
  /** The activity. */
  readonly name: ActName | (string & {})
  readonly args: any
  readonly safety: string
  /** The job within the act; empty for what is no job. */
  readonly job: string
  /** The same for the same step of every run of a seed. */
  readonly where: string
}

const present = new AsyncLocalStorage<Omit<Doing, 'job'>>()

/** Activities that know of themselves, wherever they call the host. */
export function knowingThemselves(activities: StepbackActivities): StepbackActivities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      (input: any) => {
        const { args = {}, safety = '', step = '', undo = 0 } = input ?? {}
        const doing = { name, args, safety, where: `${name} ${step} ${undo}` }
        return present.run(doing, () => (activity as (input: unknown) => Promise<unknown>)(input))
      },
    ]),
  ) as unknown as StepbackActivities
}

export function doingNow(job: string): Doing {
  const doing = present.getStore() ?? { name: 'nothing', args: {}, safety: '', where: '' }
  return { ...doing, job }
}
