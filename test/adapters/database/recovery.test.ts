import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MigrationRunner } from '../../../src/adapters/database.js'
import { Session } from '../../../src/adapters/database/session.js'
import { startPostgres, type TestPostgres } from '../../support/postgres.js'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server?.stop())

const address = () => {
  const { host, port, user, password } = server
  return { host, port, user, password, database: 'postgres', applicationName: 'test' }
}

test('a server that recovers is waited for by whoever has begun something, and told at once to whoever only looks', async () => {
  const patient = { ...address(), recoversWithinMs: 60_000 }
  const waiting = await server.recovering(async () => {
    await expect(Session.connect(address())).rejects.toMatchObject({ type: 'Unreachable', message: /57P03/ })
    const connecting = [
      Session.connect(patient),
      MigrationRunner.connect({ ...patient, migrations: [], lockTimeoutMs: 1_000 }),
    ]
    const first = await Promise.race([Promise.allSettled(connecting), sleep(1_000, 'still waiting')])
    expect(first).toBe('still waiting')
    return connecting
  })
  for (const connection of await Promise.all(waiting)) await connection.end()
})

test('a server that is not there is told at once to everybody', async () => {
  const nowhere = { ...address(), port: 1, recoversWithinMs: 60_000 }
  await expect(Session.connect(nowhere)).rejects.toMatchObject({ type: 'Unreachable', message: /ECONNREFUSED/ })
})
