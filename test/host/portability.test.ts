// Every text that is sent to a host, run with the tools of other systems, does and prints what it does with this one's.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { standalone } from '../../src/adapters/host/helper.js'
import { askServer, firstContainer, insideContainer, lastLines, stop, up } from '../../src/commands/compose.js'
import { createJournal, restoreInto, takeDump } from '../../src/commands/database.js'
import { untilAccepting } from '../../src/commands/database/restart.js'
import { againWithEngine } from '../../src/commands/engine.js'
import { describeFiles, measureTrees } from '../../src/commands/file-facts.js'
import { captureFiles, fitFiles, mergedEnv, placeFiles, restoreFiles } from '../../src/commands/files.js'
import {
  buildCache,
  findReserve,
  freeReserve,
  keepReserve,
  measureDisks,
  measuring,
  removals,
  removeEach,
  removeLogs,
} from '../../src/commands/disk.js'
import { missingPrograms, runHook } from '../../src/commands/hooks.js'
import { keep, restore } from '../../src/commands/images.js'
import { laneCall } from '../../src/commands/lane.js'
import { manifestLines, writeManifest } from '../../src/commands/manifest.js'
import { hostMemory, putEnvironmentBack, restart, serviceMemory, setKey } from '../../src/commands/memory.js'
import { keepCode, readCode } from '../../src/commands/migrations.js'
import {
  composeConfig,
  composeConfigWith,
  dataMajor,
  databaseFreeBytes,
  danglingImages,
  dockerFacts,
  dockerRoot,
  containersAround,
  everyContainer,
  freeBytes,
  imageIds,
  imageMajor,
  ledgerEntries,
  rememberedWords,
  sizedFiles,
  writablePlaces,
} from '../../src/commands/observe.js'
import { archiveDirectory, removeArchives, restoreArchive } from '../../src/commands/archive.js'
import { listShelf, pruneRestorePoints } from '../../src/commands/prune.js'
import { quote, script } from '../../src/commands/shell.js'
import { tidyUp } from '../../src/commands/tidy.js'
import { manifest } from '../support/plans.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'
import { standingRestorePoint } from '../support/restore-script.js'
import { onlyDocker, userlands, withoutOtherTools, type Userland } from './userlands.js'

const root = mkdtempSync(join(tmpdir(), 'stepback-userlands-'))
const lands = userlands(root)
const ownPath = `${onlyDocker(root)}:${process.env['PATH']}`
const id = '20261123T140211Z-2.0.0'
const hash = (text: string) => execFileSync('sha256sum', { input: text, encoding: 'utf8' }).slice(0, 64)

afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Place {
  readonly directory: string
  readonly backups: string
  readonly state: string
}

const composeStack = ({ directory }: Place) => ({
  project: 'shop',
  directory,
  files: ['docker-compose.yml'],
  envFile: '.env',
  profiles: ['extra'],
})
const odd = ["it's $HOME.txt", 'größe 雪', 'back\\slash\\n', 'line\nbreak']
const levels = [
  { services: ['migrate'], wait: false, completes: true as const },
  { services: ['api'], wait: true, restarts: [{ service: 'api', after: ['db'] }], scale: { api: 2 } },
]
const images = [{ service: 'api', id: 'sha256:1', ref: 'shop-api' }]
const point = manifest({ id })

/** By their names; each begins in a directory as `makePlace` makes it. */
const commands: Record<string, (at: Place) => string> = {
  describe: (at) => describeFiles(at.directory, [...odd, 'link', 'tree', 'gone'], ['tree']),
  measure: (at) =>
    measureTrees(at.directory, ['tree', '.env', 'gone']).replace(/m_kilobytes=\$\(.*\)/, 'm_kilobytes=4'),
  capture: (at) =>
    [
      captureFiles({
        ...at,
        id,
        composeFile: 'docker-compose.yml',
        envFile: '.env',
        paths: [...odd, 'link'],
        trees: ['tree'],
      }),
      `cd ${quote(at.backups)}; mkdir out; tar -xpzf config_${id}.tar.gz -C out; rm config_${id}.tar.gz\n`,
    ].join(''),
  fit: (at) => fitFiles({ ...at, files: [{ path: 'link/below', kind: 'file' }], ends: [] }),
  place: (at) =>
    placeFiles({
      directory: at.directory,
      staging: `${at.state}/staging/release`,
      files: [
        { path: 'new/größe', kind: 'file', sha256: hash('staged'), mode: '0640' },
        { path: 'link', kind: 'link', sha256: '', mode: '', target: 'new' },
        { path: 'to-tree', kind: 'link', sha256: '', mode: '', target: 'new' },
        { path: 'made', kind: 'directory', sha256: '', mode: '0750' },
      ],
      ends: ['new'],
    }),
  restore: (at) =>
    restoreFiles({
      ...at,
      staging: `${at.state}/staging/back`,
      sources: [{ name: `env_${id}`, sha256: hash('A=saved\nSECRET=saved\n') }],
      files: [
        { path: '.env', kind: 'file', mode: '0600', name: `env_${id}`, archived: false },
        { path: 'to-tree', kind: 'link', mode: '', name: '', archived: false, target: 'gone' },
      ],
      absent: ['link', 'tree/deep'],
      envFile: '.env',
      liveKeys: ['SECRET'],
    }),
  damaged: (at) =>
    restoreFiles({
      ...at,
      staging: `${at.state}/staging/back`,
      sources: [{ name: `env_${id}`, sha256: hash('another') }],
      files: [],
      absent: ['link'],
      envFile: '.env',
      liveKeys: [],
    }),
  merge: (at) =>
    `${mergedEnv({ live: `${at.directory}/.env`, saved: `${at.backups}/env_${id}`, liveKeys: ['SECRET', 'B'] })}\n`,
  manifest: (at) => writeManifest({ ...at, manifest: point }) + manifestLines(at.backups),
  prune: (at) => pruneRestorePoints({ target: 'shop', backups: at.backups, points: [{ id, services: ['api'] }] }),
  archive: (at) =>
    [
      archiveDirectory({ ...at, path: 'tree', name: 'memories_1.tar.gz', staging: `${at.state}/staging/memories` }),
      restoreArchive({ ...at, name: 'memories_1.tar.gz', to: 'tree.then' }),
      removeArchives(at.backups, ['memories_1.tar.gz']),
    ]
      .map((text) => `(\n${text})\n`)
      .join(''),
  list: (at) => listShelf(at.backups),
  tidy: (at) => {
    const log = { path: 'deploy.log', line: 'a line' }
    const note = { path: 'logs/new/note.md', text: '# a note\n' }
    const text = tidyUp({ staging: `${at.state}/staging`, forPeople: { directory: at.directory, log, note } })
    return `(\n${text}\n)\n(\n${text}\n)\ncat ${quote(`${at.directory}/deploy.log`)} ${quote(`${at.directory}/logs/new/note.md`)}\n`
  },
  keep: (at) =>
    keepCode({ stateDirectory: at.state, sha256: hash('code'), text: 'code' }) +
    readCode({ stateDirectory: at.state, sha256: hash('code'), limitBytes: 9 }),
  // What waits to kill it outlives this test by seconds, and would hold its output open.
  hook: (at) => {
    const late = { ...at, target: 'shop', version: '1', argv: ['sleep', '9'], timeout: '0s', timeoutSeconds: 0 }
    return `(\n${runHook(late)}) >${quote(`${at.state}/out`)} 2>&1; echo $?; cat ${quote(`${at.state}/out`)}\n`
  },
  programs: (at) => missingPrograms(at.directory, ['cat', 'not-there']),
  docker: () => dockerFacts.replaceAll(/\$4 \* 1024/g, '($4 > 0)'),
  free: (at) => freeBytes(`${at.directory}/not/there`).replace('$4 * 1024', '($4 > 0)'),
  places: (at) => writablePlaces({ ...at, stateDirectory: at.state }),
  'free for the database': () => databaseFreeBytes('c1'),
  images: () => imageIds(['shop-api', 'shop-web']) + imageMajor('postgres') + dataMajor('c1'),
  labels: () => everyContainer + containersAround('shop'),
  config: (at) => composeConfig(composeStack(at)),
  'config of a release': (at) =>
    composeConfigWith({
      stack: composeStack(at),
      stateDirectory: at.state,
      replaced: [{ path: '.env', print: 'echo A=1' }],
      words: ['config', '--hash', 'db'],
    }).replaceAll('docker compose', ': docker compose'),
  services: (at) =>
    againWithEngine([
      ...stop('shop', ['api'], 3),
      ...up(composeStack(at), levels),
      untilAccepting('docker exec db pg_isready -q', 'db'),
    ]),
  memory: () =>
    hostMemory
      .replaceAll('"%.0f %.0f\\n", pages * page, total', '"x\\n"')
      .replaceAll('"%.0f %.0f\\n", (available == "" ? free : available) * 1024, total * 1024', '"x\\n"') +
    serviceMemory('shop', 'api') +
    script(...restart('shop', 'api', 5)),
  environment: (at) => {
    const file = { ...at, envFile: '.env', staging: `${at.state}/staging/env` }
    const set = { ...file, key: 'SECRET', value: 'small' }
    const shown = `cat ${quote(`${at.directory}/.env`)}\n`
    return `(\n${setKey(set)})\n(\n${setKey(set)})\n${shown}(\n${putEnvironmentBack(file)})\n${shown}`
  },
  sizes: (at) =>
    sizedFiles(at.directory, [
      { name: 'docker-compose.yml', bytes: 10 },
      { name: '.env', bytes: 9 },
    ]),
  reserve: (at) =>
    [
      findReserve(at.state),
      keepReserve(at.state, 9_999),
      `echo $(($(wc -c <${quote(`${at.state}/reserve`)})))\n`,
      findReserve(at.state),
      freeReserve(at.state),
    ].join(''),
  disks: (at) =>
    (measureDisks([at.directory, '/not/there']) + measuring(at.directory, 'echo gone\n')).replaceAll(
      /\$4 \* 1024, \(\$3 \+ \$4\) \* 1024/g,
      '($4 > 0), ($3 > 0)',
    ),
  logs: (at) => removeLogs({ ...at, path: 'tree', olderThanDays: 30 }),
  removals: () => removeEach([removals.image('sha256:1'), 'false']) + buildCache,
  'full disk': (at) => dockerRoot + danglingImages + rememberedWords(at.backups) + ledgerEntries(at.state),
  emergency: () => script(...stop('shop', ['api', 'web'], 3), lastLines('shop', ['api'], 9), askServer('shop', 'db')),
  'check inside': () => `${firstContainer('shop', 'db')}\n(${insideContainer('c1', ['pg_isready', '-q'])})\necho $?\n`,
  tags: () => script(...keep({ target: 'shop', restorePoint: id, images }), ...restore(images)),
}

describe.each(lands)('under $name', (land) => {
  test.each(Object.keys(commands))('%s does and prints the same', (name) => {
    const [own, other] = [makePlace(), makePlace()]
    const expected = run(own, commands[name]!(own))
    const found = run(other, commands[name]!(other), land)
    expect(found).toEqual(expected)
    expect(treeOf(other.directory)).toEqual(treeOf(own.directory))
  })

  test('the lane reads a call and its payload', () => {
    const line = '@@n0 n1 3 cat\nabc'
    const { status, stdout } = spawnSync(land.shell, ['-c', laneCall({ shell: land.shell, nonce: 'n0' })], {
      ...of(land),
      input: line,
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '\n@@n0 ready\nabc\n@@n1 over 0\n' })
  })

  test('the helper keeps lease, jobs, ledger and timers', () => {
    const site = makeHelper(land)
    const holder = `"workflowId":"a","runId":"1"\n{"workflowId":"a","runId":"1","namespace":"","kind":"deploy"}\n`
    expect(site(['probe'])).toBe('links')
    expect(site(['acquire', '0', 'free'], holder)).toBe('acquired 1')
    const job = 'echo out; exit 7\n'
    expect(site(['start', 'j', '1', '1', String(job.length), '0'], job)).toBe('follow 1')
    expect(site(['wait', 'j', '1', '1', '100', '100'])).toBe('exit 1 7 none yes 4 0\nout')
    const long = 'sleep 60\n'
    site(['start', 'k', '1', '1', String(long.length), '0'], long)
    // Its claim comes some time after its start, and the wait may be over before.
    while (!/^job k 1 /m.test(site(['list']))) expect(site(['wait', 'k', '1', '1', '3', '0'])).toBe('more 1')
    expect(site(['lease'])).toMatch(/\nliving k$/)
    const entry = '{"kind":"x"}\n'
    expect(site(['append', 'ledger', '1', 'e1'], entry)).toMatch(/^appended 1 [0-9a-f]{64} no$/)
    expect(site(['append', 'ledger', '1', 'e2'], entry)).toMatch(/^appended 2 [0-9a-f]{64} no$/)
    const timer = 'exit 0\n'
    expect(site(['arm', 't', String(timer.length)], timer)).toMatch(/^armed \d$/)
    const next = holder.replaceAll('"1"', '"2"')
    // A take-over ends what still runs under the older token.
    expect(site(['acquire', '1', 'closed'], next)).toBe('acquired 2')
    expect(site(['list']).split('\n').toSorted()).toEqual(['job j 1 1 7', 'job k 1 1 143'])
    expect(site(['release', '2'], next)).toBe('released')
    expect(site(['prune', '30'])).toBe('')
    expect(site(['read', 'ledger', '0']).split('\n')).toHaveLength(2)
  })

  test('the script of a restore point goes back', () => {
    const standing = standingRestorePoint()
    try {
      writeFileSync(standing.file, withoutOtherTools(readFileSync(standing.file, 'utf8')))
      const env = { ...land.env, PATH: `${standing.root}/bin:${land.bin}` }
      expect(standing.start(['--yes'], { shell: land.shell, env })).toMatchObject({ status: 0, stderr: '' })
      expect(readFileSync(join(standing.directory, '.env'), 'utf8')).toBe('MODE=then\nPASSWORD=new\n')
      expect(standing.ledger().map(({ kind }) => kind)).toEqual(['acquired', 'plan', 'start', 'finished'])
    } finally {
      standing.remove()
    }
  })
})

describe('a database', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
    await server.query('postgres', 'create database shop')
    await server.query('shop', 'create table t as select generate_series(1, 9) as n; create sequence s')
  })
  afterAll(() => server?.stop())

  test.each(lands)('is dumped and restored under $name', async (land) => {
    const at = makePlace()
    const access = { exec: server.exec(), psqlUser: 'postgres', applicationName: 'test' }
    const files = { outFile: `${at.backups}/db.sql`, factsFile: `${at.backups}/facts` }
    expect(run(at, createJournal(access), land)).toMatchObject({ status: 0, stderr: '' })
    const taken = run(at, takeDump({ ...access, ...files, database: 'shop', format: 'sql' }).script, land)
    expect(taken).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sha256 [0-9a-f]{64}\nbytes \d+\n$/) })
    const properties = {
      owner: 'postgres',
      encoding: 'UTF8',
      collate: 'C',
      ctype: 'C',
      localeProvider: 'c',
      locale: null,
      icuRules: null,
      connectionLimit: -1,
      acl: [],
      settings: [],
      roleSettings: [],
      comment: null,
    }
    const into = {
      ...access,
      newDatabase: 'shop__new_0000000a',
      dumpFile: files.outFile,
      format: 'sql' as const,
      properties,
    }
    const facts = {
      tables: [{ schema: 'public', name: 't', rows: 10, hash: '1' }],
      migrations: [],
      schemaSha256: 'x',
      sequences: [],
      roles: [],
      extensions: [],
    }
    expect(run(at, restoreInto(into).script, land)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^oid \d+$/m),
    })
    const differs = run(at, restoreInto({ ...into, expected: facts }).script, land)
    expect(differs).toMatchObject({
      status: 65,
      stderr: expect.stringMatching(/^stepback: < table 10 1 "public" "t"$/m),
    })
  })
})

test('memory is what macOS says is free, inactive, speculative or purgeable, in pages of its own size', () => {
  const land = lands.find((it) => it.name.includes('macOS'))!
  const { stdout } = spawnSync(land.shell, ['-c', hostMemory], of(land))
  expect(stdout).toBe(`${31_500 * 16_384} 25769803776\n`)
})

test('docker is found where Docker Desktop puts it, though a shell that logs in nobody has a short PATH', () => {
  const home = mkdtempSync(join(tmpdir(), 'stepback-home-'))
  mkdirSync(join(home, '.docker/bin'), { recursive: true })
  writeFileSync(join(home, '.docker/bin/only-there'), '#!/bin/sh\necho found\n', { mode: 0o755 })
  const look = 'only-there\n'
  const { helper } = standalone()
  const state = join(home, 'state')
  for (const made of ['lease', 'jobs', 'staging']) mkdirSync(join(state, made), { recursive: true })
  writeFileSync(join(state, helper.name), helper.text)
  const words = [join(state, helper.name), state, '/bin/sh', 'n0', 'look', String(look.length)]
  const { stdout } = spawnSync('/bin/sh', words, {
    env: { HOME: home, PATH: '/usr/bin:/bin' },
    input: look,
    encoding: 'utf8',
  })
  expect(stdout).toContain('\nfound\n')
  rmSync(home, { recursive: true })
})

function makePlace(): Place {
  const base = mkdtempSync(join(root, "place it's "))
  const directory = join(base, 'project')
  const backups = join(directory, 'backups')
  const state = join(backups, '.stepback/shop')
  for (const made of ['tree/deep', 'backups/.stepback/shop/staging/release/new'])
    mkdirSync(join(directory, made), { recursive: true })
  for (const name of [...odd, 'tree/größe']) writeFileSync(join(directory, name), name)
  chmodSync(join(directory, odd[0]!), 0o4751)
  symlinkSync('größe 雪', join(directory, 'link'))
  symlinkSync('tree', join(directory, 'to-tree'))
  writeFileSync(join(directory, 'docker-compose.yml'), 'services:\n')
  writeFileSync(join(directory, '.env'), 'A=live\nSECRET="live\nin two lines"\nB=1\n')
  writeFileSync(join(backups, `env_${id}`), 'A=saved\nSECRET=saved\n')
  writeFileSync(join(state, 'staging/release/new/größe'), 'staged')
  return { directory, backups, state }
}

/** What a text answers; where it lies is nobody's concern. */
function run(at: Place, text: string, land?: Userland) {
  const how = land ? of(land) : { encoding: 'utf8' as const, env: { ...process.env, PATH: ownPath } }
  const { status, stdout, stderr } = spawnSync(land?.shell ?? 'sh', ['-c', text], { ...how, timeout: 60_000 })
  const plain = (words: string) =>
    words
      .replaceAll(at.directory.replaceAll("'", `'\\''`), '@')
      .replaceAll(at.directory, '@')
      .replaceAll(/look\.\w+/g, 'look')
      .replaceAll(/ +/g, ' ')
  return { status, stdout: plain(stdout), stderr: plain(stderr) }
}

function of(land: Userland) {
  return { encoding: 'utf8' as const, env: { ...land.env, PATH: land.bin } }
}

/** Every path below, with its kind, mode and content. */
function treeOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(directory, name)
      const info = lstatSync(path)
      if (info.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`
      const mode = (info.mode & 0o7777).toString(8)
      return info.isDirectory() ? `${name} ${mode}` : `${name} ${mode} ${readFileSync(path, 'latin1')}`
    })
}

/** One operation of the helper at a time, with the tools of that userland alone; its answer without the frames. */
function makeHelper(land: Userland): (words: readonly string[], payload?: string) => string {
  const state = mkdtempSync(join(root, 'state '))
  for (const made of ['lease', 'jobs', 'ledger', 'audit', 'migrations', 'staging', 'timers'])
    mkdirSync(join(state, made))
  const file = join(state, 'helper.sh')
  writeFileSync(file, withoutOtherTools(standalone().helper.text))
  return (words, payload = '') => {
    const { stdout } = spawnSync(land.shell, [file, state, land.shell, 'n0', ...words], {
      ...of(land),
      input: payload,
      timeout: 60_000,
    })
    return stdout.split('@@n0 begin\n')[1]!.split('\n@@n0 ')[0]!.trimEnd()
  }
}
