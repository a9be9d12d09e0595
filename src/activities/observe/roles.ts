import type { Finding } from '../../plan/facts.js'
import { strategyFindings } from '../../plan/roles.js'
import { asMigrations, databaseOf, withTunnel } from '../database-access.js'
import type { Look } from './look.js'

/** Which ways back the configured roles allow; nothing for a target without a database. */
export async function observeRoles(look: Look): Promise<Finding[]> {
  if (!look.target.database) return []
  const { deps, target, ssh } = look
  const user = { deps, target, ssh, token: 0, look: (script: string) => look.look(script) }
  return await withTunnel(user, 'roles', async (address) => {
    const admin = await deps.database.readRole(address)
    const migrations = await deps.database.readRole(await asMigrations(user, address))
    return strategyFindings({ database: databaseOf(target).name, admin, migrations })
  })
}
