import { composeConfigWith } from '../../commands/observe.js'
import { composeStack } from '../context.js'
import type { Answer, Look } from './look.js'

/** A file of the stack as it would be; `print` is a command on the host whose output is its content. */
export interface Replaced {
  readonly path: string
  readonly print: string
}

/**
 * Asks Compose about the stack with some of its files replaced, and `more` behind them; by default for the whole of it
 * as JSON.
 */
export async function askWith(
  look: Look,
  replaced: readonly Replaced[],
  words?: readonly string[],
  more?: Replaced,
): Promise<Answer> {
  const { stateDirectory } = look.host
  const own = composeStack(look.target)
  const stack = more ? { ...own, files: [...own.files, more.path] } : own
  const files = more ? [...replaced, more] : replaced
  return await look.try(composeConfigWith({ stack, stateDirectory, replaced: files, ...(words ? { words } : {}) }))
}

/** What Compose makes of the definition of the database's service; null without one, and where it cannot tell. */
export async function hashWith(look: Look, replaced: readonly Replaced[]): Promise<string | null> {
  const service = look.target.database?.service
  if (service === undefined) return null
  const { exitCode, stdout } = await askWith(look, replaced, ['config', '--hash', service])
  return exitCode === 0 ? stdout.trim().slice(service.length + 1) : null
}
