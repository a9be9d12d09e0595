import { stateNow } from '../../plan/copies.js'
import type { Shelf } from '../../plan/shelf.js'
import { observeDatabase } from './database.js'
import type { Look } from './look.js'
import { readShelf } from './manifests.js'

/** The shelf with each restore point's state by what is really there: a copy that was swapped in is none any more. */
export async function readShelfNow(look: Look): Promise<Required<Shelf>> {
  const shelf = await readShelf(look)
  if (!shelf.manifests.some((it) => it.kept || it.database?.warm)) return shelf
  const { facts } = await observeDatabase(look)
  if (!facts) return shelf
  return { ...shelf, manifests: shelf.manifests.map((it) => ({ ...it, state: stateNow(it, facts) })) }
}
