import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type MigrationsUser, knownMigrations } from '../../src/activities/known-migrations.js'
import * as migrations from '../../src/adapters/migrations.js'
import { keepCode } from '../../src/commands/migrations.js'
import type { Target } from '../../src/config/schema.js'
import type { Plan } from '../../src/plan/plan.js'
import { keepMigrations } from '../../src/plan/steps/restore-point.js'
import { records } from '../support/plans.js'

const root = mkdtempSync(join(tmpdir(), 'stepback-known-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const sh = (script: string) => execFileSync('/bin/sh', { input: script, encoding: 'utf8' })
const [n1, n2] = ['One1700000000001', 'Two1700000000002'] as const
let stateDirectory: string
let both: migrations.MigrationCode

beforeEach(async () => {
  stateDirectory = mkdtempSync(join(root, 'state '))
  writeFileSync(join(stateDirectory, 'first.mjs'), moduleOf([n1]))
  writeFileSync(join(stateDirectory, 'both.mjs'), moduleOf([n1, n2]))
  both = (await migrations.read(named('both.mjs')))!
  sh(keepCode({ stateDirectory, ...both }))
})

const moduleOf = (names: readonly string[]) =>
  `globalThis.ran = true\nexport default [${names.map((name) => `class ${name} { up() {} }`).join(', ')}] // ’`

const named = (file: string | { release: string }) =>
  ({ database: { migrations: typeof file === 'string' ? join(stateDirectory, file) : file } }) as unknown as Target

function user(file: string | { release: string }, kept = [both.sha256]): MigrationsUser {
  const readLedger = async () =>
    records(
      ...kept.toReversed().map((sha256) => {
        const plan = { steps: [keepMigrations({ sha256 })] } as unknown as Plan
        return { kind: 'plan' as const, run: { workflowId: 'deploy', runId: sha256 }, plan }
      }),
    )
  return {
    deps: { migrations } as unknown as MigrationsUser['deps'],
    target: named(file),
    host: { stateDirectory, readLedger } as unknown as MigrationsUser['host'],
    look: async (script) => sh(script),
  }
}

const known = async (it: MigrationsUser, needed: readonly string[]) =>
  (await knownMigrations(it, { needed })).classes.map(migrations.nameOf)

describe('migrations that the configuration no longer names', () => {
  test('come from what the host kept, where they are applied', async () => {
    expect(await known(user('first.mjs'), [n1, n2])).toEqual([n1, n2])
    expect(await known(user('first.mjs'), [n1])).toEqual([n1])
  })

  test('stay unknown where nothing was kept of them, or it is gone', async () => {
    expect(await known(user('first.mjs', []), [n1, n2])).toEqual([n1])
    rmSync(keptFile())
    expect(await known(user('first.mjs'), [n1, n2])).toEqual([n1])
  })

  test('stay unknown where the copy was changed, which is said, and none of it runs', async () => {
    Reflect.deleteProperty(globalThis, 'ran')
    writeFileSync(keptFile(), readFileSync(keptFile(), 'utf8').replace('One', 'Own'))
    const nothing = { ...user('first.mjs'), target: { database: undefined } as unknown as Target }
    const { classes, unusable } = await knownMigrations(nothing, { needed: [n2] })
    expect(classes).toEqual([])
    expect(unusable).toEqual([expect.stringContaining('not the one of that checksum')])
    expect('ran' in globalThis).toBe(false)
  })

  test('are all there where they lie inside a release that is not at hand', async () => {
    expect(await known(user({ release: 'both.mjs' }), [])).toEqual([n1, n2])
  })
})

test('keeping is done once, whole, and mends a damaged copy', () => {
  const before = readFileSync(keptFile(), 'utf8')
  expect(before).toBe(both.text)
  writeFileSync(keptFile(), 'half')
  sh(keepCode({ stateDirectory, ...both }))
  sh(keepCode({ stateDirectory, ...both }))
  expect(readFileSync(keptFile(), 'utf8')).toBe(before)
})

const keptFile = () => join(stateDirectory, 'migrations', `${both.sha256}.json`)
