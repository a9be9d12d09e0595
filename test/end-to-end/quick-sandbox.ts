// A sandbox whose runs wait no longer than they must: how long a release is watched is the operator's to say.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { type Sandbox, down, up } from '../../sandbox/index.js'
import { Operator } from './operator.js'

/** Brings one up below `root`, with short waits in its configuration, and what the database's section has besides. */
export async function quickSandbox(root: string, database: object = {}): Promise<Operator> {
  const sandbox = await up({ root })
  shorten(sandbox, database)
  const operator = new Operator(sandbox)
  operator.replaceWorker() // it reads its configuration when it starts
  return operator
}

export async function remove(root: string, operator: Operator | undefined): Promise<void> {
  operator?.stopWorker()
  await down({ root })
  rmSync(root, { recursive: true, force: true })
}

function shorten({ config, target }: Sandbox, database: object): void {
  const read = parse(readFileSync(config, 'utf8')) as { targets: Record<string, Record<string, object>> }
  const own = read.targets[target]!
  own['health'] = { ...own['health'], timeout: '10s', interval: '300ms' }
  own['database'] = { ...own['database'], ...database }
  own['watch'] = { window: '2s', interval: '300ms', failures: 3 }
  writeFileSync(config, stringify(read))
}
