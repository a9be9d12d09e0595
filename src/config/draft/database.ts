import type { Reference } from '../schema.js'
import type { Found, FoundService } from './found.js'

export interface DraftDatabase {
  readonly service: string
  readonly name: string
  readonly user: Reference
  readonly password: Reference
  /** Values that the worker's environment must bring, since the environment file does not have them. */
  readonly missing: readonly string[]
}

/** The PostgreSQL server of the project, told by what its image sets; undefined where there is none. */
export function databaseService(found: Found): FoundService | undefined {
  return found.services.find(({ environment }) => environment.has('PGDATA') || environment.has('PG_MAJOR'))
}

/** Its login by reference: keys of the environment file whose values the server was started with. */
export function draftDatabase(found: Found): DraftDatabase | undefined {
  const service = databaseService(found)
  if (!service) return undefined
  const { environment } = service
  const owner = environment.get('POSTGRES_USER') ?? 'postgres'
  const user = referTo(found, owner, /user|role|login|owner/i, 'DB_USER')
  const password = referTo(found, environment.get('POSTGRES_PASSWORD'), /pass|pwd|secret/i, 'DB_PASSWORD')
  const missing = [user, password].flatMap((it) => ('env' in it ? [it.env] : []))
  return { service: service.name, name: environment.get('POSTGRES_DB') ?? owner, user, password, missing }
}

/** Several keys may have one value by chance, so the key's own name has a say. */
function referTo(found: Found, value: string | undefined, likely: RegExp, otherwise: string): Reference {
  const keys = value ? [...(found.environment ?? [])].flatMap(([key, it]) => (it === value ? [key] : [])) : []
  const envFile =
    keys.find((key) => key.startsWith('POSTGRES_') && likely.test(key)) ?? keys.find((key) => likely.test(key))
  if (envFile !== undefined) return { envFile }
  return {
    env: `${found.target
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]/g, '_')
      .replace(/^(?=\d)/, '_')}_${otherwise}`,
  }
}
