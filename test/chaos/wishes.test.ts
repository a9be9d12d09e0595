import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { scenarios } from '../../chaos/scenarios.js'
import type { Seen } from '../../chaos/seen.js'
import { type Known, asBefore, asPlanned, carriedFrom } from '../../chaos/wishes.js'

const release = mkdtempSync(join(tmpdir(), 'stepback-chaos-release-'))
mkdirSync(join(release, 'aria_skills'))
writeFileSync(join(release, 'VERSION'), '2.1.1\n', { mode: 0o644 })
writeFileSync(join(release, 'aria_skills/new.py'), '', { mode: 0o644 })
afterAll(() => rmSync(release, { recursive: true, force: true }))

const then: Seen = {
  files: { VERSION: 'then', '.env': 'then', 'models.yaml': 'then', 'aria_skills/api.py': 'then' },
  soul: {},
  images: { 'aria-api': 'then', 'aria-web': 'then' },
  references: { 'aria-api': 'then', 'aria-web': 'then' },
  services: { 'aria-api': 'running (healthy)' },
  schema: 'then',
  migrations: ['a006'],
  tables: { sessions: 'then' },
  oid: '1',
  version: '2.0.0',
  failing: [],
  rows: [],
}
const now: Seen = {
  ...then,
  files: { VERSION: 'now', '.env': 'now', 'models.yaml': 'now', 'aria_skills/api.py': 'now' },
  images: { 'aria-api': 'now', 'aria-web': 'now' },
  references: { 'aria-api': 'now', 'aria-web': 'now' },
  schema: 'now',
  migrations: ['a006', 'a007'],
  version: '2.1.0',
}
const known: Known = {
  releases: { '2.1.0': release, '2.1.1': release },
  schemas: new Map([['2.1.0', { schema: 'learned', migrations: ['a006', 'a007'] }]]),
  point: { id: 'p', seen: then, takenAt: 500 },
}
const planned = (name: string, before = now) =>
  asPlanned(
    scenarios.find((it) => it.name === name)!,
    before,
    known,
  )

describe('what is planned', () => {
  test('of a deploy is its files over those of before, its migrations, and every row', () => {
    const { files, schema, migrations, version, keepsRows, images } = planned('deploy with a migration', then)
    expect(Object.keys(files!).toSorted()).toEqual([
      '.env',
      'VERSION',
      'aria_skills/api.py',
      'aria_skills/new.py',
      'models.yaml',
    ])
    expect(files).toMatchObject({ VERSION: expect.stringMatching(/ 644$/), '.env': 'then' })
    expect({ schema, migrations, version, keepsRows, images }).toEqual({
      schema: 'learned',
      migrations: ['a006', 'a007'],
      version: '2.1.0',
      keepsRows: true,
      images: undefined,
    })
  })

  test('of a deploy without a migration is the schema of before', () => {
    expect(planned('deploy that somebody approves')).toMatchObject({ schema: 'now', version: '2.1.1' })
  })

  test('of a rollback is all that was seen when its restore point was taken, with the rows of before that', () => {
    const { version: _, ...rest } = asBefore(then)
    expect(planned('rollback by a swap')).toMatchObject({ ...rest, name: 'as planned', version: '2.0.0', takenAt: 500 })
  })

  test('of a rollback that carries rows forward is every row of before it began to', () => {
    const wish = planned('rollback that carries rows forward')
    expect([wish.takenAt, carriedFrom(wish, 700).takenAt, carriedFrom(wish, undefined).takenAt]).toEqual([
      Infinity,
      700,
      Infinity,
    ])
    expect(planned('rollback by a restore').takenAt).toBe(500)
  })

  test('of a rollback of one part is that part alone', () => {
    const { takenAt: _, ...before } = asBefore(now)
    const database = { schema: 'then', migrations: ['a006'], tables: then.tables }
    expect(planned('rollback of the database')).toMatchObject({ ...before, ...database, name: 'as planned' })
    expect(planned('rollback of the configuration')).toMatchObject({
      ...before,
      name: 'as planned',
      files: { VERSION: 'now', '.env': 'then', 'models.yaml': 'then', 'aria_skills/api.py': 'now' },
    })
    const images = { 'aria-api': 'now', 'aria-web': 'then' }
    expect(planned('rollback of a container')).toMatchObject({
      ...before,
      name: 'as planned',
      images,
      references: images,
    })
  })

  test('of an emergency stop is the same with the application stopped, whatever that says', () => {
    const { version, stopped } = planned('emergency stop')
    expect({ version, stopped }).toEqual({ version: undefined, stopped: ['aria-api', 'aria-brain', 'aria-web'] })
  })
})
