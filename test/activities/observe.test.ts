import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { observeDatabase } from '../../src/activities/observe/database.js'
import { observe } from '../../src/activities/observe/facts.js'
import type { Look } from '../../src/activities/observe/look.js'
import { labelledContainers, labelledVolumes } from '../../src/commands/observe.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import { StepbackError, type FailureType } from '../../src/plan/failure.js'
import { type DatabaseHost, startDatabaseHost, until } from '../support/database-host.js'

const config = parseConfig(
  `targets: { shop: { ssh: { host: shop }, directory: /srv, backups: /srv/backups,
    compose: { project: shop, files: [a.yml] }, services: { application: [web] } } }`,
  'stepback.yaml',
)

/** Answers nothing, and one look not even that. */
function looking(without: string, type: FailureType): Look {
  return {
    deps: { config },
    target: findTarget(config, 'shop'),
    host: { stateDirectory: '/srv/backups/.stepback/shop', readLedger: async () => [] },
    try: async () => ({ exitCode: 1, stdout: '', stderr: 'no docker' }),
    look: async (script: string) => {
      if (script.includes(without)) throw new StepbackError({ type, message: 'the look failed' })
      return ''
    },
  } as unknown as Look
}

const looks = { containers: 'docker inspect', labels: labelledContainers, volumes: labelledVolumes }

test.each(Object.entries(looks))('a plan is not made where the answer about %s was lost', async (_what, script) => {
  await expect(observe(looking(script, 'Unreachable'))).rejects.toMatchObject({ type: 'Unreachable' })
})

test('a Docker that does not answer is a finding, and no failure to look', async () => {
  const { containers, findings } = await observe(looking('docker inspect', 'Refused'))
  expect(containers).toEqual([])
  expect(findings.find((it) => it.check === 'docker')).toMatchObject({ ok: false })
})

describe('a look at the database', { timeout: 60_000 }, () => {
  let host: DatabaseHost
  beforeAll(async () => {
    host = await startDatabaseHost('create table alembic_version (version_num text)')
  })
  afterAll(() => host?.stop())

  test('whose session another run ends, as an exchange does, looks again', async () => {
    const other = await host.session()
    await other.query('begin; lock table alembic_version')
    const seen = observeDatabase(await host.look())
    await until(() => host.waits())
    await host.server.query(
      'postgres',
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'stepback:%'`,
    )
    await other.query('commit')
    expect(await seen).toMatchObject({ error: null, facts: { applied: [] } })
    await host.endSessions()
  })
})
