import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type InspectedContainer, dataPlace } from '../../src/activities/observe/containers.js'
import { observeDatabase } from '../../src/activities/observe/database.js'
import { observe } from '../../src/activities/observe/facts.js'
import { containersAround, labelledVolumes } from '../../src/commands/observe.js'
import { StepbackError } from '../../src/plan/failure.js'
import { type DatabaseHost, startDatabaseHost, until } from '../support/database-host.js'
import { around, lookAtFake, web } from '../support/fake-host.js'

/** A host with one container; what it is asked with those words fails as told. */
async function looking(without: string, fail: () => null, container: object = web) {
  const asked: string[] = []
  const look = await lookAtFake((script) => {
    asked.push(script)
    if (script.includes(without)) return fail()
    if (script === containersAround('shop')) return around([{ id: web.Id, state: 'running' }], [container])
    if (script.includes("df -Pk '/data/docker'") || script.includes('df -Pk /data/docker')) return '7 9\n'
    return script.includes('config --format json') ? '{"services":{"web":{"image":"web:1"}}}' : ''
  })
  return { look, asked }
}

const lost = () => {
  throw new StepbackError({ type: 'Unreachable', message: 'the look failed' })
}
const fails = () => null
const nothing = 'asked by nobody'

test.each([
  ['containers', containersAround('shop')],
  ['volumes', labelledVolumes],
])('a plan is not made where the answer about %s was lost', async (_what, script) => {
  const { look } = await looking(script, lost)
  await expect(observe(look)).rejects.toMatchObject({ type: 'Unreachable' })
})

test('a Docker that does not answer is a finding, and no failure to look', async () => {
  const { look } = await looking('docker', fails)
  const { containers, findings } = await observe(look)
  expect(containers).toEqual([])
  expect(findings.find((it) => it.check === 'docker')).toMatchObject({ ok: false })
})

describe('Docker is asked about itself', () => {
  const asks = async (without: string, options = {}, container: object = web) => {
    const { look, asked } = await looking(without, fails, container)
    const { findings } = await observe(look, options)
    return { findings, about: asked.filter((it) => it.includes('docker info')).length }
  }

  test('not by a plan where what it was asked for says enough', async () => {
    const { findings, about } = await asks(nothing)
    expect(about).toBe(0)
    expect(findings.filter((it) => ['docker', 'compose'].includes(it.check)).map((it) => it.ok)).toEqual([true, true])
    expect(findings.find((it) => it.detail.includes('Docker root directory'))).toMatchObject({ ok: false })
  })

  test.each([
    ['nobody tells where it keeps its data', nothing, {}, { ...web, ResolvConfPath: '' }],
    ['Compose does not read the files', 'config --format json', {}, web],
    ['its version is of interest', nothing, { versions: true }, web],
  ])('where %s', async (_when, without, options, container) => {
    expect((await asks(without, options, container)).about).toBe(1)
  })
})

test('where a database keeps its data on the host is the mount that is nearest above them', () => {
  const mount = (Type: string, Source: string, Destination: string) => ({ Type, Source, Destination, RW: true })
  const placed = (PGDATA: string, ...Mounts: object[]) =>
    dataPlace({
      ...web,
      Config: { ...web.Config, Env: ['A=1', `PGDATA=${PGDATA}`] },
      Mounts,
    } as unknown as InspectedContainer)
  const volume = mount('volume', '/var/lib/docker/volumes/data/_data', '/var/lib/postgresql/data')
  const bind = mount('bind', '/host_mnt/srv/pg', '/var/lib/postgresql')
  expect(placed('/var/lib/postgresql/data', bind, volume)).toBe(volume.Source)
  expect(placed('/var/lib/postgresql/data/17', bind, volume)).toBe(volume.Source)
  expect(placed('/var/lib/postgresql/17', bind, volume)).toBe('/srv/pg')
  expect(placed('/var/lib/postgresql/database', volume)).toBeUndefined()
  expect(placed('/data', mount('tmpfs', '', '/data'))).toBeUndefined()
  expect(dataPlace({ ...web, Mounts: [volume] } as unknown as InspectedContainer)).toBeUndefined()
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
