import type { Host } from '../../adapters/host.js'
import type { LedgerEntry, Recorded } from '../../plan/ledger.js'

/** The whole ledger of a target in the order of its chain. */
export async function ledgerRecords(host: Host): Promise<Recorded[]> {
  const records = await host.readLedger()
  return records.map(({ at, token, entry, void: isVoid }) => ({ at, token, entry: entry as LedgerEntry, void: isVoid }))
}

/** The same from the lines of the entries, in whatever order, without a look at the chain: nothing is appended by it. */
export function recordsIn(text: string): Recorded[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Recorded & { readonly number: number; readonly high: number })
    .toSorted((a, b) => a.number - b.number)
    .map(({ at, token, entry, high }) => ({ at, token, entry, void: token < high }))
}
