import type { Deps } from '../activities/deps.js'
import type { Composition } from '../composition.js'
import { resolveAddress } from '../client/connection.js'
import { findTarget } from '../config/load.js'
import type { Config } from '../config/schema.js'

/** Looks at one target, or at all, with what the worker would look with. */
export async function withDeps<T>(
  config: Config,
  target: string | undefined,
  look: (deps: Deps, targets: readonly string[], introduce: Composition['introduce']) => Promise<T>,
): Promise<T> {
  const targets = target === undefined ? Object.keys(config.targets) : [findTarget(config, target).name]
  const { compose } = await import('../composition.js')
  const { deps, introduce, close } = compose({ config, namespace: resolveAddress(config.temporal).namespace })
  try {
    return await look(deps, targets, introduce)
  } finally {
    await close()
  }
}
