// A sandbox whose runs wait no longer than they must: how long a release is watched is the operator's to say.

import { rmSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { down, up } from '../../sandbox/index.js'
import { Operator } from './operator.js'

/** Several sandboxes share two cores, and a probe costs as much as many requests. */
export const seldomProbed = { probeEvery: '5s' }

/** Brings one up below `root`, with short waits in its configuration, and what the database's section has besides. */
export async function quickSandbox(root: string, database: object = {}): Promise<Operator> {
  return new Operator(await up({ root, ...seldomProbed, configure: (config) => shorter(config, database) }))
}

export async function remove(root: string, operator: Operator | undefined): Promise<void> {
  operator?.stopWorker()
  await down({ root })
  rmSync(root, { recursive: true, force: true })
}

function shorter(config: string, database: object): string {
  const read = parse(config) as { metrics: object; targets: Record<'aria', Record<string, object>> }
  const own = read.targets.aria
  own['health'] = { ...own['health'], timeout: '10s', interval: '300ms' }
  own['database'] = { ...own['database'], ...database }
  // An activity of its own each, to be killed in; the main job has them.
  own['checks'] = []
  own['hooks'] = []
  own['watch'] = { window: '2s', interval: '500ms', failures: 3 }
  own['guard'] = { grace: '1s', interval: '500ms', policy: 'act' }
  return stringify({ ...read, metrics: { ...read.metrics, every: '1m' } })
}
