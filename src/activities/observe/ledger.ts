import type { Host } from '../../adapters/host.js'
import type { LedgerEntry, Recorded } from '../../plan/ledger.js'

/** The whole ledger of a target in the order of its chain. */
export async function ledgerRecords(host: Host): Promise<Recorded[]> {
  const records = await host.readLedger()
  return records.map(({ at, token, entry, void: isVoid }) => ({ at, token, entry: entry as LedgerEntry, void: isVoid }))
}
