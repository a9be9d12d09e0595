// A sandbox whose runs wait no longer than they must: how long a release is watched is the operator's to say.

import { parse, stringify } from 'yaml'
import { down, up } from '../../sandbox/index.js'
import { Operator } from './operator.js'

/** Several sandboxes share two cores, and a probe costs as much as many requests. */
export const seldomProbed = { probeEvery: '5s' }

interface Quick {
  /** What the database's section has besides. */
  readonly database?: object
  /** As short as a release that never is should take; where each has to become it, as long as busy cores need. */
  readonly healthyWithin: string
}

/** Brings one up below `root`, with short waits in its configuration. */
export async function quickSandbox(root: string, quick: Quick): Promise<Operator> {
  return new Operator(await up({ root, ...seldomProbed, configure: (config) => shorter(config, quick) }))
}

export async function remove(root: string, operator: Operator | undefined): Promise<void> {
  operator?.stopWorker()
  await down({ root })
}

function shorter(config: string, { database, healthyWithin }: Quick): string {
  const read = parse(config) as { metrics: object; targets: Record<'aria', Record<string, object>> }
  const own = read.targets.aria
  own['health'] = { ...own['health'], timeout: healthyWithin, interval: '300ms' }
  own['database'] = { ...own['database'], ...database }
  // An activity of its own each, to be killed in; the main job has them.
  own['checks'] = []
  own['hooks'] = []
  own['watch'] = { window: '2s', interval: '500ms', failures: 3 }
  own['guard'] = { grace: '1s', interval: '500ms', policy: 'act' }
  return stringify({ ...read, metrics: { ...read.metrics, every: '1m' } })
}
