import type { CarryArgs, Step } from '../act.js'
import type { BesideDatabase } from '../manifest.js'
import { restoreDatabase } from './database.js'
import { list } from './list.js'

/**
 * Puts rows that were inserted since into the database that was built, before it takes the live one's place. That one
 * goes as a whole where the run is undone.
 */
export function carryForward(args: CarryArgs): Step {
  return {
    act: { name: 'carryForward', title: `carry new rows of ${what(args)} forward`, args },
    undo: [],
    commit: false,
  }
}

/** The same on a database that goes again: what comes of it is known before anybody is asked. */
export function rehearsalSteps(args: CarryArgs, copyOf: BesideDatabase | undefined): Step[] {
  const title = `rehearse carrying new rows of ${what(args)} forward`
  return [
    restoreDatabase({ from: args.from, ...(copyOf ? { copyOf } : {}) }),
    { act: { name: 'rehearseCarry', title, args }, undo: [], commit: false },
    {
      act: { name: 'dropNewDatabase', title: 'drop the database of the rehearsal', args: {} },
      undo: [],
      commit: false,
    },
  ]
}

function what({ tables }: CarryArgs): string {
  return tables === 'all' ? 'all tables' : list(tables)
}
