import type { Observation } from '../../adapters/database.js'
import { isBesideName } from '../../commands/database/names.js'
import type { DatabaseFacts } from '../../plan/facts.js'

/** The databases beside the live one that stepback made, by their exact names; half-dropped ones are none. */
export function copiesAmong({ databases }: Observation, database: string): DatabaseFacts['copies'] {
  return databases
    .filter(({ name, invalid }) => !invalid && isBesideName({ database, name }))
    .map(({ name, oid, allowsConnections, visits }) => ({ name, oid, open: allowsConnections, visits }))
}
