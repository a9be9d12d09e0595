import { findReserve } from '../../commands/disk.js'
import type { Look } from './look.js'

/** Whether the file is there that goes first when the disk is full; null where none is wanted, or no run was yet. */
export async function observeReserve(look: Look): Promise<'there' | 'missing' | null> {
  if (look.target.emergency.reserveBytes === 0) return null
  const answer = (await look.try(findReserve(look.host.stateDirectory))).stdout.trim()
  return answer === 'there' || answer === 'missing' ? answer : null
}
