import type { Observation } from '../../adapters/database.js'
import { builtBy, isBesideName, putAsideBy } from '../../commands/database/names.js'
import type { DatabaseFacts } from '../../plan/facts.js'

/** The databases beside the live one that stepback made, by their exact names; half-dropped ones are none. */
export function copiesAmong({ databases }: Observation, database: string): DatabaseFacts['copies'] {
  return databases
    .filter(({ name, invalid }) => !invalid && isBesideName({ database, name }))
    .map(({ name, oid, allowsConnections, visits }) => ({ name, oid, open: allowsConnections, visits }))
}

/** Those that a run began to build, by that run: whole, half-made, or half-dropped. */
export function builtAmong(seen: Observation, database: string): NonNullable<DatabaseFacts['built']> {
  return byRun(seen, (name) => builtBy({ database, name }))
}

/** Those that were live once, by the run that put them aside. */
export function formerAmong(seen: Observation, database: string): NonNullable<DatabaseFacts['former']> {
  return byRun(seen, (name) => putAsideBy({ database, name }))
}

function byRun({ databases }: Observation, digitsIn: (name: string) => string | undefined) {
  return databases.flatMap(({ name, oid }) => {
    const run8 = digitsIn(name)
    return run8 === undefined ? [] : [{ name, oid, run8 }]
  })
}
