import { databaseService } from './database.js'
import type { Found, FoundService } from './found.js'

export interface DraftServices {
  readonly application: readonly string[]
  /** What goes on running while files and database go back. */
  readonly others: readonly string[]
}

/** Whoever is built here, or has to do with the database; where nobody is and has, everything but the database. */
export function draftServices(found: Found): DraftServices {
  const database = databaseService(found)?.name
  const lasting = found.services.filter((it) => !it.job && it.name !== database)
  const own = lasting.filter((it) => it.builds || (database !== undefined && uses(found, it, database)))
  const application = (own.length > 0 ? own : lasting).map((it) => it.name)
  return { application, others: lasting.map((it) => it.name).filter((name) => !application.includes(name)) }
}

function uses(found: Found, service: FoundService, database: string): boolean {
  return names(service, database) || leadsTo(found, service, database, [])
}

/** A host in a variable, alone or within an address. */
function names({ environment }: FoundService, database: string): boolean {
  return [...environment.values()].some((value) => value.split(/[@/,=:?\s]/).includes(database))
}

function leadsTo(found: Found, { name, dependsOn }: FoundService, database: string, seen: readonly string[]): boolean {
  return dependsOn.some(({ service }) => {
    if (service === database) return true
    const next = found.services.find((it) => it.name === service)
    return next !== undefined && !seen.includes(service) && leadsTo(found, next, database, [...seen, name])
  })
}
