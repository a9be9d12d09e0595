import { missingDatabasePrograms } from '../../commands/database/programs.js'
import { clockAndDirectory } from '../../commands/observe.js'
import type { Finding } from '../../plan/facts.js'
import { fitness } from '../../plan/fitness.js'
import { databaseAccess } from '../database-access.js'
import { askChecks, readVersion } from '../health.js'
import { asUser } from './database.js'
import type { Look } from './look.js'

/** What a run would find out only later. */
export async function observeFitness(look: Look): Promise<Finding[]> {
  const { deps, target, ssh } = look
  const [host, health, version, missing] = await Promise.all([
    readHost(look),
    askChecks(look),
    target.version ? readVersion(deps, target, ssh) : undefined,
    target.database ? readMissingPrograms(look) : undefined,
  ])
  return fitness({ directory: target.directory, ...host, health, version, missingPrograms: missing })
}

async function readHost(look: Look): Promise<{ readonly writable: boolean; readonly aheadSeconds: number | null }> {
  const asked = Date.now()
  const { stdout } = await look.try(clockAndDirectory(look.target.directory))
  const here = (asked + Date.now()) / 2_000
  const [seconds = '', writable] = stdout.split('\n')
  const ahead = Math.round(Number(seconds || Number.NaN) - here)
  return { writable: writable === 'writable', aheadSeconds: Number.isNaN(ahead) ? null : ahead }
}

async function readMissingPrograms(look: Look): Promise<string[]> {
  const { access } = await databaseAccess(asUser(look), 'programs')
  const { stdout } = await look.try(missingDatabasePrograms(access))
  return stdout.split('\n').filter((line) => line !== '')
}
