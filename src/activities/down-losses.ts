// What a deploy's undo would lose by its migrations' downs: no dump has what was written since.

import type { Journal, JudgedLosses, MigrationClass } from '../adapters/database.js'
import { amountOf, lostForGood, rowsOf, uncounted } from '../plan/exposure.js'
import { StepbackError } from '../plan/failure.js'
import type { Rehearsed } from '../plan/manifest.js'
import type { ExposedTable } from '../plan/plan.js'
import type { ActContext } from './context.js'
import { databaseOf } from './database-access.js'
import { readManifests } from './observe/manifests.js'
import { verdictInWords } from './rehearsal.js'
import { together } from './together.js'

/**
 * A person decides beyond the bound, and where nobody can count: where the downs change rows, unless they were tried on a
 * copy that came out as it was, or where one of them lost something there.
 */
export async function boundLosses(
  context: ActContext,
  journal: Journal,
  input: {
    readonly names: readonly string[]
    readonly classes: readonly MigrationClass[]
    readonly mayLoseRows: number
  },
): Promise<JudgedLosses> {
  const { names, classes, mayLoseRows } = input
  const { name: database } = databaseOf(context.target)
  const [heard, rehearsed, { migrations: own }] = await together([
    context.deps.database.listenToDowns({ migrations: classes, names }),
    readRehearsed(context, names),
    journal.memory.remembered({ target: context.target.name, id: context.safety, database }),
  ])
  const unseen = notCounted(names, heard.unclear, rehearsed)
  return {
    dropped: heard,
    except: own.map(({ xid }) => xid),
    judge: (counted) => {
      if (lostForGood([...counted, ...unseen]) > mayLoseRows) throw exceeded(counted, unseen, mayLoseRows)
    },
  }
}

/** By the proof of the restore point that the run took; one that has not ended yet has said nothing. */
async function readRehearsed(context: ActContext, names: readonly string[]): Promise<readonly Rehearsed[]> {
  const point = (await readManifests(context)).find(({ id }) => id === context.safety)
  return point?.rehearsed?.filter(({ migration }) => names.includes(migration)) ?? []
}

function notCounted(names: readonly string[], unclear: boolean, rehearsed: readonly Rehearsed[]): ExposedTable[] {
  const bad = rehearsed.filter(({ verdict }) => verdict !== 'reversible')
  const tried = rehearsed.length === names.length && bad.length === 0
  const words = [...bad.map(verdictInWords), ...(unclear && !tried ? ['rows that the downs change'] : [])]
  const none = { inserted: 0, updated: 0, deleted: 0, newest: null }
  return words.map((table) => ({ table, ...none, method: uncounted }))
}

function exceeded(
  counted: readonly ExposedTable[],
  unseen: readonly ExposedTable[],
  mayLoseRows: number,
): StepbackError {
  const total = rowsOf(counted)
  const words = [...(counted.length > 0 ? [amountOf({ total, tables: counted })] : []), ...unseen.map((it) => it.table)]
  return new StepbackError({
    type: 'ExposureExceeded',
    message: `the downs would lose ${words.join(', and ')}, and ${mayLoseRows} are allowed; nothing was reverted`,
    details: { exposure: { total, tables: [...counted, ...unseen] }, asks: 'approval' },
  })
}
