import type { Observation } from '../../adapters/database.js'
import { builtBy, isBesideName } from '../../commands/database/names.js'
import type { DatabaseFacts } from '../../plan/facts.js'

/** The databases beside the live one that stepback made, by their exact names; half-dropped ones are none. */
export function copiesAmong({ databases }: Observation, database: string): DatabaseFacts['copies'] {
  return databases
    .filter(({ name, invalid }) => !invalid && isBesideName({ database, name }))
    .map(({ name, oid, allowsConnections, visits }) => ({ name, oid, open: allowsConnections, visits }))
}

/** Those that a run began to build, by that run: whole, half-made, or half-dropped. */
export function builtAmong({ databases }: Observation, database: string): NonNullable<DatabaseFacts['built']> {
  return databases.flatMap(({ name, oid }) => {
    const run8 = builtBy({ database, name })
    return run8 === undefined ? [] : [{ name, oid, run8 }]
  })
}
