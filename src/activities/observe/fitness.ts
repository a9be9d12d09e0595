import { missingDatabasePrograms } from '../../commands/database/programs.js'
import { hostClock } from '../../commands/observe.js'
import type { Finding } from '../../plan/facts.js'
import { fitness } from '../../plan/fitness.js'
import { stopInForce } from '../../plan/ledger.js'
import { databaseAccess } from '../database-access.js'
import { askChecks, readVersion } from '../health.js'
import { asUser } from './database.js'
import { ledgerRecords } from './ledger.js'
import type { Look } from './look.js'
import { observeReserve } from './reserve.js'

/** What a run would find out only later. */
export async function observeFitness(look: Look): Promise<Finding[]> {
  const { deps, target } = look
  const [aheadSeconds, health, version, missing, records, reserve] = await Promise.all([
    readClock(look),
    askChecks(look),
    target.version ? readVersion(deps, target) : undefined,
    target.database ? readMissingPrograms(look) : undefined,
    ledgerRecords(look.host),
    observeReserve(look),
  ])
  const stop = stopInForce(records)
  return fitness({ target: target.name, aheadSeconds, health, version, missingPrograms: missing, stop, reserve })
}

/** Null where it did not say. */
async function readClock(look: Look): Promise<number | null> {
  const asked = Date.now()
  const { stdout } = await look.try(hostClock)
  const here = (asked + Date.now()) / 2_000
  const ahead = Math.round(Number(stdout.trim() || Number.NaN) - here)
  return Number.isNaN(ahead) ? null : ahead
}

async function readMissingPrograms(look: Look): Promise<string[]> {
  const { access } = await databaseAccess(asUser(look), 'programs')
  const { stdout } = await look.try(missingDatabasePrograms(access))
  return stdout.split('\n').filter((line) => line !== '')
}
