// A connection of TypeORM's through the tunnel.

import { DataSource } from 'typeorm'
import { databaseError } from './errors.js'
import type { MigrationClass } from './migrations.js'
import { onceRecovered, serverOptions, type DatabaseAddress } from './session.js'

export async function openSource(
  address: DatabaseAddress & { readonly migrations: readonly MigrationClass[] },
): Promise<DataSource> {
  return await onceRecovered(address, async () => {
    const { host, port, user, password, database, applicationName, migrations } = address
    const source = new DataSource({
      type: 'postgres',
      host,
      port,
      username: user,
      password,
      database,
      applicationName,
      migrations: [...migrations],
      installExtensions: false,
      poolErrorHandler: () => {},
      extra: { max: 2, options: serverOptions, connectionTimeoutMillis: 15_000, keepAlive: true },
    })
    try {
      return await source.initialize()
    } catch (cause) {
      throw databaseError({ cause, what: `connecting to database "${database}"` })
    }
  })
}
