// Names as somebody may have them, through every script that a host runs: each arrives as a name, and none is run.

import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { archiveDirectory, removeArchives, restoreArchive } from '../../src/commands/archive.js'
import * as compose from '../../src/commands/compose.js'
import { endingOf } from '../../src/commands/database/ending.js'
import { createJournal, timerScript } from '../../src/commands/database/journal.js'
import { missingDatabasePrograms } from '../../src/commands/database/programs.js'
import { copyDatabase, seeDatabase } from '../../src/commands/database/rehearsal.js'
import { againAfterRestart, untilAccepting } from '../../src/commands/database/restart.js'
import { dropDatabase, restoreInto } from '../../src/commands/database/restore.js'
import { takeDump } from '../../src/commands/database/take.js'
import { missingPrograms, runHook } from '../../src/commands/hooks.js'
import { keep, restore } from '../../src/commands/images.js'
import { writeManifest } from '../../src/commands/manifest.js'
import { keepCode, readCode } from '../../src/commands/migrations.js'
import * as observe from '../../src/commands/observe.js'
import { homeAndDirectory, pathKinds } from '../../src/commands/project.js'
import { listShelf, pruneRestorePoints } from '../../src/commands/prune.js'
import { script } from '../../src/commands/shell.js'
import { tidyUp } from '../../src/commands/tidy.js'
import type { DatabaseProperties, Manifest } from '../../src/plan/manifest.js'

const names = [
  '-rf two words, größe 雪 e\u0301, $HOME ~ * ?',
  `it's '; touch hurt; ' "; touch hurt; " back\\slash\\n`,
  '$(touch hurt) `touch hurt` && touch hurt; touch hurt #',
  'a\ntouch hurt\n# b',
  ...Array.from({ length: 6 }, (_, seed) => unlikely(seed)),
]

/** Of pieces that mean something to a shell, to SQL or to an option; always the same ones, so that a failure comes again. */
function unlikely(seed: number): string {
  const pieces = [
    "'",
    '"',
    '`',
    '$(',
    ')',
    '${',
    '}',
    '\\',
    '\n',
    ' ',
    '\t',
    ';',
    '|',
    '&',
    '>',
    '<',
    '*',
    '[',
    '!',
    '#',
    '~',
    '=',
  ]
  const words = ['touch hurt', '-n', '--', 'EOF', 'STEPBACK_SQL', '%s', 'é', '雪', '\u0301']
  const all = [...pieces, ...words]
  const bytes = createHash('sha256').update(`name ${seed}`).digest()
  return `n${[...bytes.subarray(0, 16)].map((byte) => all[byte % all.length]).join('')}`
}

let room: string

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'stepback-names-'))
  mkdirSync(join(room, 'bin'))
  // Writes down how it was called, and says what ends every script that waits for an answer.
  const docker = `#!/bin/sh\nprintf '%s\\0' "$@" >>"${room}/seen"\necho over\n`
  writeFileSync(join(room, 'bin/docker'), docker, { mode: 0o755 })
})

afterEach(() => rmSync(room, { recursive: true }))

/** Runs it as a host would, and says whether any word of a name was run. */
function run(text: string): string {
  const env = { PATH: `${room}/bin:${process.env['PATH']}`, HOME: room }
  writeFileSync(join(room, 'script'), text)
  const { stdout } = spawnSync('sh', [join(room, 'script')], { cwd: room, env, encoding: 'utf8', timeout: 5_000 })
  expect(readdirSync(room, { recursive: true, encoding: 'utf8' }).map((it) => basename(it))).not.toContain('hurt')
  return stdout
}

const words = () => readFileSync(join(room, 'seen'), 'utf8').split('\0')

const stackOf = (name: string) => ({ project: name, directory: name, files: [name], envFile: name, profiles: [name] })
const access = (name: string) => ({ exec: ['docker', 'exec', '-i', name], psqlUser: name })
const properties = (owner: string): DatabaseProperties => ({
  owner,
  encoding: 'UTF8',
  collate: owner,
  ctype: owner,
  localeProvider: 'c',
  locale: null,
  icuRules: null,
  connectionLimit: -1,
  acl: [{ grantee: owner, privilege: 'CONNECT', grantable: false }],
  settings: [],
  roleSettings: [{ role: owner, settings: [`search_path=${owner}`] }],
  comment: owner,
})

describe.each(names)('the name %j', (name) => {
  const stack = stackOf(name)
  const image = { service: name, id: name, ref: name }
  const database = { ...access(name), applicationName: name, database: name }
  const replaced = [{ path: name, print: 'true' }]

  test.each<[string, () => string]>([
    ['up', () => script(...compose.up(stack, [{ services: [name], wait: true } as never]))],
    ['stop', () => script(...compose.stop(name, [name], 1))],
    ['last lines', () => script(compose.lastLines(name, [name], 1))],
    ['ask a server', () => compose.askServer(name, name)],
    ['inspect containers', () => observe.inspectedContainers(name)],
    ['programs of a database', () => missingDatabasePrograms(access(name))],
    ['a copy', () => copyDatabase({ ...database, from: name, to: name, owner: name }).script],
    ['a sight', () => seeDatabase(access(name), name)],
    ['remove', () => script(...compose.remove(name, [name]))],
    ['build', () => script(compose.build(stack, [name]))],
    ['wait for a database', () => script(untilAccepting(compose.isAccepting(stack, name), name))],
    ['containers', () => script(compose.containerIds(name))],
    ['keep images', () => script(...keep({ target: name, restorePoint: name, images: [image] }))],
    ['restore images', () => script(...restore([image]))],
    ['read a stack', () => observe.composeConfig(stack)],
    [
      'read a stack with other files',
      () => observe.composeConfigWith({ stack, stateDirectory: join(room, name), replaced }),
    ],
    ['an image', () => observe.imageMajor(name)],
    ['a data directory', () => observe.dataMajor(name)],
    ['a disk in a container', () => observe.databaseFreeBytes(name)],
    ['ids of images', () => observe.imageIds([name])],
    ['the journal', () => createJournal(database)],
    ['a timer', () => timerScript({ ...database, target: name, token: 1, closing: 1, afterSeconds: 0 })],
    ['the end of sessions', () => endingOf(database, name)],
    ['a dump', () => againAfterRestart(database, takeDump({ ...database, ...files(name), format: 'dump' })).script],
    ['a restore', () => restoreInto({ ...database, ...besides(name), dumpFile: dump(name), format: 'dump' }).script],
    ['a drop', () => dropDatabase({ ...database, databases: [besides(name).newDatabase] }).script],
  ])('arrives in a script for Docker: %s', (_what, text) => {
    run(text())
    expect(words().filter((word) => word.includes(name))).not.toEqual([])
  })

  test('arrives as a path', () => {
    const directory = join(room, name)
    const manifest = { id: '20261123T140211Z-2.0.0', target: name } as Manifest
    mkdirSync(join(directory, '0a.1b'), { recursive: true })
    run(tidyUp({ staging: join(directory, '0a.1b'), forPeople: { directory, log: { path: 'log', line: name } } }))
    expect(existsSync(join(directory, '0a.1b'))).toBe(false)
    const [line, ...rest] = readFileSync(join(directory, 'log'), 'utf8').split('\n')
    expect([line, rest]).toEqual([name.replaceAll(/[\n\t]+/g, ' '), ['']])
    run(writeManifest({ backups: directory, manifest }))
    expect(JSON.parse(readFileSync(join(directory, `manifest_${manifest.id}.json`), 'utf8'))).toEqual(manifest)
    const shelf = run(listShelf(directory)).trimEnd().split('\n')
    expect(shelf).toEqual(['log', `manifest_${manifest.id}.json`])
    run(pruneRestorePoints({ target: name, backups: directory, points: [{ id: manifest.id, services: [name] }] }))
    expect(readdirSync(directory)).toEqual(['log'])
    expect(Number(run(observe.freeBytes(directory)))).toBeGreaterThan(0)
    writeFileSync(join(directory, name), 'A=1')
    expect(run(observe.readEnvFile(directory, name))).toBe('A=1')
  })

  test('arrives as a directory that is archived, and as one that is looked at', () => {
    const [directory, backups] = [join(room, 'pro ject'), join(room, name, 'b')]
    mkdirSync(join(directory, name), { recursive: true })
    mkdirSync(backups, { recursive: true })
    writeFileSync(join(directory, name, name), name)
    const archive = { directory, backups, name: `memories_1.tar.gz` }
    run(archiveDirectory({ ...archive, path: name, staging: join(room, 'staging', name) }))
    run(restoreArchive({ ...archive, to: `${name}.back` }))
    expect(readFileSync(join(directory, `${name}.back`, name, name), 'utf8')).toBe(name)
    run(removeArchives(backups, [archive.name]))
    expect(readdirSync(backups)).toEqual([])
    expect(run(pathKinds([join(directory, name), join(directory, name, name)]))).toBe('directory\nfile\n')
    expect(run(homeAndDirectory(join(directory, name)))).toBe(`${room}\nwritable\n`)
    const places = { directory: join(directory, name), backups, stateDirectory: join(backups, name) }
    expect(run(observe.writablePlaces(places))).toBe('directory\nbackups\n')
  })

  test('arrives as text and as the words of a hook', () => {
    const code = { stateDirectory: join(room, name), sha256: checksum(name) }
    run(keepCode({ ...code, text: name }))
    expect(run(readCode({ ...code, limitBytes: 1000 }))).toBe(name)
    const hook = { directory: join(room, name), target: name, version: name, timeout: name, timeoutSeconds: 1 }
    expect(run(`set -m\n${runHook({ ...hook, argv: ['printf', '%s|', name] })}kill $! 2>/dev/null\n`)).toBe(`${name}|`)
    expect(run(missingPrograms(join(room, name), [`./${name}`]))).toBe(`./${name}\n`)
  })
})

function files(name: string) {
  return { outFile: join(room, name), factsFile: join(room, `${name}.facts`) }
}

function dump(name: string): string {
  writeFileSync(join(room, name), '')
  return join(room, name)
}

function besides(name: string) {
  return { newDatabase: `${name}__new_0123abcd`, properties: properties(name) }
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
