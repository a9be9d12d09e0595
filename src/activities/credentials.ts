// Values by reference, resolved where they are needed and held no longer.

import { readEnvFile } from '../commands/observe.js'
import { parseEnvFile } from '../config/env-file.js'
import type { Reference, Target } from '../config/schema.js'
import { Secret } from '../config/secret.js'
import { StepbackError } from '../plan/failure.js'

export interface CredentialSource {
  readonly target: Target
  look(script: string): Promise<string>
  /** Of whoever sees all at one moment: the target's environment file as it was then. */
  readonly environment?: (() => Promise<string>) | undefined
}

/** `admin` takes, restores and exchanges databases; one role may be both. */
export type DatabaseRole = 'admin' | 'migrations'

/** A role's login from the worker's environment or the target's own environment file. */
export async function databaseLogin(
  source: CredentialSource,
  role: DatabaseRole = 'admin',
): Promise<{ readonly user: string; readonly password: Secret }> {
  const { database, directory, compose } = source.target
  if (!database) throw missing('the configuration has no database', source.target.name)
  const login = (role === 'admin' ? database.admin : undefined) ?? database
  const references = [login.user, login.password]
  const values = references.some((it) => 'envFile' in it)
    ? parseEnvFile(await (source.environment?.() ?? source.look(readEnvFile(directory, compose.envFile))))
    : new Map<string, string>()
  const [user, password] = references.map((reference) => resolve(reference, values, source.target))
  return { user: user!, password: new Secret(password!) }
}

function resolve(reference: Reference, values: ReadonlyMap<string, string>, target: Target): string {
  const value = 'env' in reference ? process.env[reference.env] : values.get(reference.envFile)
  if (value !== undefined && value !== '') return value
  const where =
    'env' in reference ? `the worker's variable ${reference.env}` : `${reference.envFile} in ${target.compose.envFile}`
  throw missing(`${where} is not set`, target.name)
}

function missing(why: string, target: string): StepbackError {
  return new StepbackError({
    type: 'Refused',
    message: `the database's login for target "${target}" is not known: ${why}`,
    hint: 'set it, or name another source in the database section of the configuration.',
  })
}
