// The environment file as a run would leave it, compared with the live one by its keys; and whether its login would do.

import { parseEnvFile } from '../../config/env-file.js'
import type { Reference } from '../../config/schema.js'
import { StepbackError } from '../../plan/failure.js'
import type { EnvironmentChange } from '../../plan/plan.js'
import { databaseOf, withTunnel } from '../database-access.js'
import { asUser } from './database.js'
import type { Look } from './look.js'

type Values = ReadonlyMap<string, string>

/**
 * What would differ with `text` in the place of the live file; `keep` are keys whose live values stay. A database role
 * is not rolled back with a file, so another login is tried now, before the first change: `Refused` where it fails.
 */
export async function observeEnvironment(
  look: Look,
  input: { readonly text: string; readonly keep: readonly string[]; readonly whose: string },
): Promise<EnvironmentChange | null> {
  const live = parseEnvFile((await look.environment()).stdout)
  const then = parseEnvFile(input.text)
  const kept = input.keep.filter((key) => live.has(key) && live.get(key) !== then.get(key))
  const result = new Map([...then, ...kept.map((key) => [key, live.get(key)!] as const)])
  const keys = [...new Set([...live.keys(), ...result.keys()])]
  const changed = keys.filter((key) => live.get(key) !== result.get(key)).toSorted()
  if (look.target.database) await ensureLogin(look, result, changed, input.whose)
  return changed.length + kept.length > 0 ? { changed, kept: kept.toSorted() } : null
}

async function ensureLogin(look: Look, result: Values, changed: readonly string[], whose: string): Promise<void> {
  const { user, password } = databaseOf(look.target)
  const keys = [user, password].flatMap((it) => ('envFile' in it && changed.includes(it.envFile) ? [it.envFile] : []))
  if (keys.length === 0) return
  const empty = keys.find((key) => !result.get(key))
  if (empty !== undefined) throw refused(look, whose, keys, `${empty} is not set in it`)
  const valueOf = (reference: Reference, live: string) =>
    'envFile' in reference ? (result.get(reference.envFile) ?? live) : live
  await withTunnel(asUser(look), 'login', async (address) => {
    const login = { ...address, user: valueOf(user, address.user), password: valueOf(password, address.password) }
    await look.deps.database.login(login).catch((error: unknown) => {
      // The server's own words name the user, whom the configuration knows by reference only.
      if (error instanceof StepbackError && error.type === 'Refused')
        throw refused(look, whose, keys, 'the database does not let its login in')
      throw error
    })
  })
}

function refused(look: Look, whose: string, keys: readonly string[], why: string): StepbackError {
  const list = [...new Set(keys)].join(', ')
  return new StepbackError({
    type: 'Refused',
    message: `the environment file of ${whose} has another ${list} than "${look.target.compose.envFile}", and ${why}`,
    hint: `add ${list} to \`secrets\` of target "${look.target.name}", which keeps live values on a rollback (and leave --secrets at keep); for a release, mend its file. nothing was changed.`,
  })
}
