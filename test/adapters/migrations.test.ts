import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { load, nameOf, read } from '../../src/adapters/migrations.js'
import { describeMigrations } from '../../src/adapters/database.js'
import type { Target } from '../../src/config/schema.js'

const root = mkdtempSync(join(tmpdir(), 'stepback-code-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let count = 0

/** A directory with these files; where they are loaded from is another one each time. */
function project(files: Readonly<Record<string, string>>): string {
  const directory = join(root, String(++count))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

const target = (migrations: string | { release: string }) => ({ database: { migrations } }) as unknown as Target
const code = async (path: string) => (await read(target(path)))!
const names = async (path: string) => (await load(await code(path))).map(nameOf)

const users = `class Users1700000000001 {
  async up(runner) { await runner.query('create table users ()') }
  async down(runner) { await runner.query('drop table users') }
}`
const orders = users.replaceAll('Users', 'Orders').replace('0001', '0002')
const esm = { 'package.json': '{"type":"module"}' }

describe('compiled migrations are accepted', () => {
  test.each([
    ['an ES module with a list', { ...esm, 'index.js': `${users}\nexport const migrations = [Users1700000000001]` }],
    ['an ES module with a list as default', { 'index.mjs': `${users}\nexport default [Users1700000000001]` }],
    ['an ES module with classes', { ...esm, 'index.js': `export ${users}` }],
    ['CommonJS with a list', { 'index.js': `${users}\nmodule.exports = { migrations: [Users1700000000001] }` }],
    [
      'what tsc makes of a class',
      {
        'index.js': `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.Users1700000000001 = void 0;\nconst typeorm_1 = require("typeorm");\nnew typeorm_1.Table();\n${users}\nexports.Users1700000000001 = Users1700000000001;`,
      },
    ],
    [
      'a module that imports others by path',
      {
        ...esm,
        'index.js': `import { Users1700000000001 } from './up/users.js'\nexport const migrations = [Users1700000000001]`,
        'up/users.js': `import '../other/names.js'\nexport ${users}`,
        'other/names.js': '',
      },
    ],
  ])('as %s', async (_what, files: Record<string, string>) => {
    const entry = Object.keys(files).find((it) => it.startsWith('index'))!
    expect(await names(join(project(files), entry))).toEqual(['Users1700000000001'])
  })

  test('as a directory of classes, each once', async () => {
    const directory = project({
      ...esm,
      'm/1700000000001-Users.js': `export ${users}`,
      'm/1700000000002-Orders.js': `import '../deep/er.js'\nexport ${orders}`,
      'm/index.js': `export * from './1700000000001-Users.js'`,
      'm/1700000000001-Users.d.ts': 'export class {',
      'deep/er.js': '',
    })
    expect(await names(join(directory, 'm'))).toEqual(['Users1700000000001', 'Orders1700000000002'])
  })

  test('inside a release, by the directory that is deployed', async () => {
    const release = project({ 'dist/m.mjs': `export ${users}` })
    const source = target({ release: 'dist/m.mjs' })
    expect((await load((await read(source, release))!)).map(nameOf)).toEqual(['Users1700000000001'])
    expect(await read(source)).toBeNull()
  })

  test('again, under another checksum, when they were compiled anew', async () => {
    const directory = project({ 'm.mjs': `export ${users}` })
    const before = await code(join(directory, 'm.mjs'))
    writeFileSync(join(directory, 'm.mjs'), `export ${orders}`)
    expect(await names(join(directory, 'm.mjs'))).toEqual(['Orders1700000000002'])
    expect((await load(before)).map(nameOf)).toEqual(['Users1700000000001'])
  })
})

describe('what cannot be run is refused with its reason', () => {
  test.each([
    ['nothing exported', 'export const x = 1', /exports no migration/],
    [
      'a name without a time',
      users.replace('1700000000001', '') + '\nexport { Users as default }',
      /"Users" should end/,
    ],
    ['a list of something else', 'export const migrations = ["a"]', /a string is no class/],
    [
      'an export that is named like a migration and has no method, beside one that is one',
      `export ${users}\nexport class Later1700000000009 { up = () => {} }`,
      /"Later1700000000009" is no class with a method `up`/,
    ],
    ['two of one name', `export default [${users}, ${users}]`, /two migrations have the name/],
    ['a package that is not there', `import 'left-pad'\nexport ${users}`, /left-pad/],
    ['a syntax error', 'export const', /./],
  ])('%s', async (_what, text, message) => {
    const path = join(project({ 'm.mjs': text }), 'm.mjs')
    const refused = expect.objectContaining({ type: 'Refused', message: expect.stringMatching(message) })
    await expect(names(path)).rejects.toEqual(refused)
  })

  test('a file that is not there', async () => {
    await expect(names(join(root, 'none.mjs'))).rejects.toMatchObject({ type: 'Refused' })
  })

  test('a text that is not what its checksum says, before any of it runs', async () => {
    const { sha256, text } = await code(join(project({ 'm.mjs': `export ${users}` }), 'm.mjs'))
    const changed = text.replace('export', 'globalThis.tampered = true; export')
    expect(changed).not.toBe(text)
    await expect(load({ sha256, text: changed })).rejects.toMatchObject({ type: 'Refused' })
    expect('tampered' in globalThis).toBe(false)
  })
})

test('a down that is missing, empty, or throws at once is none', async () => {
  const up = 'async up(r) { await r.query("create table t ()") }'
  const downs = [
    '',
    'async down() {}',
    'async down() { throw new Error("no") }',
    'down() { throw new Error("no") }',
    'async down(r) { await r.query("drop table t") }',
    'async down(r) { await r.dropTable("t") }',
    'async down(r) { const [row] = await r.query("select 1"); row.x }',
  ]
  const classes = downs.map((down, index) => `class M170000000000${index} { ${up} ${down} }`)
  const path = join(project({ 'm.mjs': `export default [${classes.join(', ')}]` }), 'm.mjs')
  const described = await describeMigrations(await load(await code(path)))
  expect(described.map((it) => it.reversible)).toEqual([false, false, false, false, true, true, true])
})
