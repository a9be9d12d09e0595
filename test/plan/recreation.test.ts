import { describe, expect, test } from 'vitest'
import type { Ahead, Recreation } from '../../src/plan/facts.js'
import {
  afterDeploy,
  candidate,
  deployPlan,
  deployRequest,
  facts,
  release,
  rollbackPlan,
  undosOf,
} from '../support/plans.js'

const before = { service: 'db', id: 'sha256:db', ref: 'postgres:16' }
const recreation: Recreation = { service: 'db', before, after: { ref: 'postgres:16', id: 'sha256:db' }, majors: null }
const ahead: Ahead = { absentImages: [], recreation }
const names = (plan: { readonly steps: readonly { readonly act: { readonly name: string } }[] }) =>
  plan.steps.map((step) => step.act.name)

describe('a database that would be made anew', () => {
  const deploy = deployPlan(deployRequest(), facts(), { ...release, ahead })

  test('has a step of its own, behind files and images, before migrations', () => {
    expect(names(deploy).slice(2, 6)).toEqual(['putFiles', 'buildImages', 'recreateDatabase', 'migrateUp'])
    expect(deploy.steps[4]!.act.title).toContain('make the container of the database db anew')
    expect(deploy.steps[1]!.act.args).toMatchObject({ images: expect.arrayContaining([before]) })
  })

  test('is made anew as it was once its files are back, whichever step failed', () => {
    expect(undosOf(deploy, 4)).toEqual([
      'undo restoreImages',
      'undo restoreFiles',
      'undo recreateDatabase',
      'undo startServices',
      'undo checkHealth',
    ])
    expect(deploy.steps[2]!.undo[1]!.args).toEqual({ service: 'db', image: before })
  })

  test('is made anew without a way back where no file is replaced: those of before are gone already', () => {
    const plan = deployPlan({ ...deployRequest(), release: undefined as never }, facts({ ahead }), null)
    expect(names(plan)).toContain('recreateDatabase')
    expect(plan.steps.flatMap((step) => step.undo.map((act) => act.name))).not.toContain('recreateDatabase')
  })

  test('gets its recorded image back on a rollback, before anything is done to its data', () => {
    const image = { ref: 'postgres:16', id: 'sha256:old-db' }
    const changed = { ...recreation, after: image, majors: { before: '16', after: '16' } }
    const found = candidate({ ahead: { absentImages: [], recreation: changed } })
    const plan = rollbackPlan(undefined, undefined, found)
    const at = names(plan).indexOf('recreateDatabase')
    expect(names(plan).slice(at - 1, at + 2)).toEqual(['restoreFiles', 'recreateDatabase', 'swapDatabase'])
    expect(plan.steps[at]!.act.args).toEqual({ service: 'db', image: { service: 'db', ...image } })
    expect(plan.steps[at - 1]!.undo.map((act) => act.name)).toEqual(['restoreFiles', 'recreateDatabase'])
  })

  test('is left alone where nothing would change: the plan is the same as ever', () => {
    const nothing: Ahead = { absentImages: [], recreation: null }
    expect(deployPlan(deployRequest(), facts(), { ...release, ahead: nothing })).toEqual(deployPlan())
    expect(rollbackPlan(undefined, undefined, candidate({ ahead: nothing }))).toEqual(rollbackPlan())
  })
})

describe('is refused before the first change:', () => {
  const other = (majors: Recreation['majors'], id: string | null = 'sha256:new'): Ahead => ({
    absentImages: [],
    recreation: { ...recreation, after: { ref: 'postgres:17', id }, majors },
  })

  test.each<[string, Ahead, string, string]>([
    [
      'an image that nothing builds and that is not there',
      { absentImages: ['nginx:1', 'redis:7'], recreation: null },
      'are not on the host of target "shop": nginx:1, redis:7',
      'docker pull nginx:1 && docker pull redis:7',
    ],
    [
      'a database image that is not there',
      other(null, null),
      'image "postgres:17" of database service "db"',
      'docker pull postgres:17',
    ],
    [
      'another major version',
      other({ before: '16', after: '17' }),
      'runs PostgreSQL 16, and image "postgres:17" holds 17',
      'pg_upgrade',
    ],
    [
      'a version that nobody can tell',
      other({ before: '16', after: null }),
      'nobody can tell which PostgreSQL "postgres:17"',
      'by hand',
    ],
  ])('%s', (_what, found, message, hint) => {
    const refused = expect.objectContaining({
      type: 'Refused',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    })
    expect(() => deployPlan(deployRequest(), facts(), { ...release, ahead: found })).toThrow(refused)
    expect(() => rollbackPlan(undefined, afterDeploy(), candidate({ ahead: found }))).toThrow(refused)
  })
})
