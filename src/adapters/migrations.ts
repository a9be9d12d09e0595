import { pathToFileURL } from 'node:url'
import type { Target } from '../config/schema.js'
import { StepbackError } from '../plan/failure.js'
import type { MigrationClass } from './database.js'

/** The migration classes that the configuration names: those in this package, or a module's export `migrations`. */
export async function loadMigrations(target: Target): Promise<readonly MigrationClass[]> {
  const source = target.database?.migrations
  if (source === undefined) return []
  if (source === 'reference') return (await import('../migrations/index.js')).migrations
  return await loadModule(source)
}

async function loadModule(path: string): Promise<readonly MigrationClass[]> {
  try {
    const { migrations } = (await import(pathToFileURL(path).href)) as { readonly migrations?: unknown }
    if (Array.isArray(migrations)) return migrations as MigrationClass[]
    throw new TypeError('it exports no list `migrations`')
  } catch (cause) {
    throw new StepbackError({
      type: 'Refused',
      message: `migrations "${path}" cannot be loaded: ${(cause as Error).message}`,
      hint: 'database.migrations names a compiled module that exports `migrations`, a list of classes.',
      cause,
    })
  }
}
