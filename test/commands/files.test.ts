import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEnvFile } from '../../src/config/env-file.js'
import { envFile, values } from '../support/env-file.js'
import { captureFiles, describeFiles, parseFileFacts, placeFiles, restoreFiles } from '../../src/commands/files.js'

const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(([program]) => has(program!))
const odd = [
  'two words.txt',
  "it's.txt",
  '"q" $HOME `id`.txt',
  'new\nline.txt',
  'größe 雪.txt',
  '-rf',
  'deep/er/x=y.txt',
]
const id = '20261123T140211Z-2.0.0'

let base: string
let project: string
let backups: string
let staging: string

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "stepback it's $HOME "))
  ;[project, backups, staging] = [join(base, 'pro ject'), join(base, 'back ups'), join(base, 'staging')]
  mkdirSync(project)
  write('docker-compose.yml', 'services: {}\n', 0o644)
  write('.env', 'A=1\nTOKEN=old\n# TOKEN=comment\nexport KEY=old\n', 0o640)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

test('a POSIX shell is here to run them', () => expect(shells.length).toBeGreaterThan(0))

describe.each(shells)('under %s', (program, ...flags) => {
  function sh(script: string): string {
    const { status, stdout, stderr } = run(script)
    if (status !== 0) throw new Error(`exit status ${status}: ${stderr}`)
    return stdout
  }

  function run(script: string) {
    // Busybox's own programs where it is the shell, and none of ours.
    return spawnSync(program!, [...flags, '-c', script], { encoding: 'utf8', cwd: '/' })
  }

  describe('a look at files', () => {
    test('tells checksum, size and mode of files, and links and absent ones apart', () => {
      write('a', 'hello', 0o640)
      symlinkSync('a', join(project, 'link'))
      const paths = ['a', 'link', 'none']
      expect(parseFileFacts(sh(describeFiles(project, paths)), paths)).toEqual([
        { path: 'a', kind: 'file', sha256: sha256('hello'), bytes: 5, mode: '640' },
        { path: 'link', kind: 'link', sha256: '', bytes: 0, mode: '' },
        { path: 'none', kind: 'absent', sha256: '', bytes: 0, mode: '' },
      ])
    })

    test('finds files of any name', () => {
      for (const path of odd) write(path, path, 0o600)
      const found = parseFileFacts(sh(describeFiles(project, odd)), odd)
      expect(found.map((fact) => [fact.path, fact.sha256])).toEqual(odd.map((path) => [path, sha256(path)]))
    })
  })

  test('a look at a directory that is not there fails, rather than look somewhere else', () => {
    expect(run(describeFiles(join(base, 'none'), ['a'])).status).not.toBe(0)
  })

  describe('a capture', () => {
    test('holds compose file, environment file and the others, private, and what is there twice is the same', () => {
      write('models.yaml', 'm', 0o644)
      for (let round = 0; round < 2; round++) capture(['models.yaml', 'none'])
      expect(readdirSync(backups).toSorted()).toEqual([`config_${id}.tar.gz`, `docker-compose_${id}.yml`, `env_${id}`])
      expect(read(backups, `env_${id}`)).toBe('A=1\nTOKEN=old\n# TOKEN=comment\nexport KEY=old\n')
      for (const file of readdirSync(backups)) expect(statSync(join(backups, file)).mode & 0o777).toBe(0o600)
      expect(statSync(backups).mode & 0o777).toBe(0o700)
    })

    test('of a project without an environment file or others holds the compose file alone', () => {
      rmSync(join(project, '.env'))
      capture(['none'])
      expect(readdirSync(backups)).toEqual([`docker-compose_${id}.yml`])
    })

    test('fails where the compose file is not there', () => {
      rmSync(join(project, 'docker-compose.yml'))
      expect(run(captureScript([])).status).not.toBe(0)
    })
  })

  describe('a restore', () => {
    test('brings back contents, modes and links of any name, removes what did not exist, and does so twice', () => {
      for (const path of odd) write(path, path, path.endsWith('.txt') ? 0o755 : 0o600)
      symlinkSync("it's.txt", join(project, 'link'))
      capture([...odd, 'link', 'came later'])
      for (const path of odd) write(path, 'changed', 0o644)
      rmSync(join(project, 'link'))
      rmSync(join(project, 'deep'), { recursive: true })
      write('came later', 'new')
      write('docker-compose.yml', 'services: {new: {}}', 0o600)
      for (let round = 0; round < 2; round++) {
        sh(restoreScript({ paths: [...odd, 'link'], absent: ['came later'] }))
        for (const path of odd) expect(read(project, path)).toBe(path)
        expect(odd.map((path) => statSync(join(project, path)).mode & 0o777)).toEqual(
          odd.map((path) => (path.endsWith('.txt') ? 0o755 : 0o600)),
        )
        expect(readlinkSync(join(project, 'link'))).toBe("it's.txt")
        expect(existsSync(join(project, 'came later'))).toBe(false)
        expect(read(project, 'docker-compose.yml')).toBe('services: {}\n')
        expect(statSync(join(project, 'docker-compose.yml')).mode & 0o777).toBe(0o644)
        expect(statSync(join(project, '.env')).mode & 0o777).toBe(0o640)
        expect(existsSync(staging)).toBe(false)
        expect(leftovers()).toEqual([])
      }
    })

    test('keeps the live values of secrets, line for line, and restores all else', () => {
      capture([])
      write('.env', 'A=2\nTOKEN=live "x" $y\nexport KEY=live\nLATER=live\nGONE=x\n')
      for (let round = 0; round < 2; round++) {
        sh(restoreScript({ liveKeys: ['TOKEN', 'KEY', 'LATER', 'NEVER'] }))
        expect(read(project, '.env')).toBe('A=1\nTOKEN=live "x" $y\n# TOKEN=comment\nexport KEY=live\nLATER=live\n')
      }
    })

    test('keeps values of several lines whole, and does not take their lines for keys', () => {
      write('.env', 'CERT="a\\"\nTOKEN=none\nb"\nTOKEN=old # it\'s\nNOTE=\'x\nCERT=none\'\n')
      capture([])
      write('.env', 'CERT=\'new\nTOKEN=none\n$x\'\nTOKEN: live\nexport KEY="l\n"\n')
      sh(restoreScript({ liveKeys: ['TOKEN', 'CERT', 'KEY'] }))
      expect(read(project, '.env')).toBe(
        "CERT='new\nTOKEN=none\n$x'\nTOKEN: live\nNOTE='x\nCERT=none'\nexport KEY=\"l\n\"\n",
      )
    })

    test('reads the same values of kept secrets, however they are written', () => {
      capture([])
      write('.env', envFile)
      sh(restoreScript({ liveKeys: Object.keys(values) }))
      const merged = parseEnvFile(read(project, '.env'))
      for (const [key, value] of Object.entries(values)) expect(merged.get(key)).toBe(value)
    })

    test('of secrets brings back the environment file as it was', () => {
      capture([])
      write('.env', 'TOKEN=live\n')
      sh(restoreScript({ liveKeys: [] }))
      expect(read(project, '.env')).toBe('A=1\nTOKEN=old\n# TOKEN=comment\nexport KEY=old\n')
    })

    test('keeps a secret that the saved file has, where the live file is gone', () => {
      capture([])
      rmSync(join(project, '.env'))
      sh(restoreScript({ liveKeys: ['TOKEN'] }))
      expect(read(project, '.env')).toContain('TOKEN=old')
    })

    test('with another checksum than the recorded one touches nothing', () => {
      write('models.yaml', 'then')
      capture(['models.yaml'])
      const script = restoreScript({ paths: ['models.yaml'], absent: ['came later'] })
      write('models.yaml', 'now')
      write('came later', 'now')
      writeFileSync(join(backups, `config_${id}.tar.gz`), 'other bytes')
      const { status, stderr } = run(script)
      expect(status).not.toBe(0)
      expect(stderr).toContain(`stepback: checksum of ${backups}/config_${id}.tar.gz is not the recorded one`)
      expect(read(project, 'models.yaml')).toBe('now')
      expect(read(project, 'came later')).toBe('now')
    })

    test('never goes through a directory that is a link', () => {
      write('soul/x', 'then')
      capture(['soul/x'])
      const outside = join(base, 'outside')
      mkdirSync(outside)
      writeFileSync(join(outside, 'x'), 'mine')
      rmSync(join(project, 'soul'), { recursive: true })
      symlinkSync(outside, join(project, 'soul'))
      const { status, stderr } = run(restoreScript({ paths: ['soul/x'] }))
      expect(status).not.toBe(0)
      expect(stderr).toContain('stepback: a directory on the way is a link: ./soul')
      expect(readFileSync(join(outside, 'x'), 'utf8')).toBe('mine')
      expect(run(restoreScript({ paths: [], absent: ['soul/x'] })).status).not.toBe(0)
      expect(existsSync(join(outside, 'x'))).toBe(true)
    })
  })

  describe('placing a release', () => {
    test('moves files of any name into place with their modes, twice with the same end', () => {
      for (const path of odd) stage(path, path)
      for (let round = 0; round < 2; round++) {
        sh(place(odd))
        for (const path of odd) expect(read(project, path)).toBe(path)
        expect(odd.every((path) => (statSync(join(project, path)).mode & 0o777) === 0o750)).toBe(true)
        expect(leftovers()).toEqual([])
      }
    })

    test('is done where staging is gone, and the files are in place', () => {
      for (const path of odd) stage(path, path)
      sh(place(odd))
      rmSync(staging, { recursive: true })
      sh(place(odd))
    })

    test('replaces a link itself, and not what it leads to', () => {
      const outside = join(base, 'outside')
      writeFileSync(outside, 'mine')
      symlinkSync(outside, join(project, 'a'))
      stage('a', 'new')
      sh(place(['a'], { a: 'new' }))
      expect(lstatSync(join(project, 'a')).isSymbolicLink()).toBe(false)
      expect(readFileSync(outside, 'utf8')).toBe('mine')
    })

    test.each([
      ['a file with another checksum', () => stage('b', 'other'), 'staged file has another checksum: b'],
      ['a missing file', () => undefined, 'staged file is missing: b'],
    ])('touches nothing where there is %s, though it is the last one', (_what, arrange, message) => {
      write('a', 'now')
      stage('a', 'a')
      arrange()
      const { status, stderr } = run(place(['a', 'b']))
      expect(status).not.toBe(0)
      expect(stderr).toContain(`stepback: ${message}`)
      expect(read(project, 'a')).toBe('now')
    })

    test('refuses a directory that is a link, or one in the place of a file, and touches nothing', () => {
      mkdirSync(join(base, 'outside'))
      symlinkSync(join(base, 'outside'), join(project, 'soul'))
      mkdirSync(join(project, 'dir'))
      for (const path of ['a', 'soul/x', 'dir']) stage(path, path)
      expect(run(place(['a', 'soul/x'])).stderr).toContain('stepback: a directory on the way is a link: ./soul')
      expect(run(place(['a', 'dir'])).stderr).toContain('stepback: a directory is where a file should be: dir')
      expect(existsSync(join(project, 'a'))).toBe(false)
      expect(readdirSync(join(base, 'outside'))).toEqual([])
    })
  })

  function captureScript(paths: readonly string[]): string {
    return captureFiles({ directory: project, backups, id, composeFile: 'docker-compose.yml', envFile: '.env', paths })
  }

  function capture(paths: readonly string[]): void {
    sh(captureScript(paths))
  }
})

function restoreScript(input: {
  paths?: readonly string[]
  absent?: readonly string[]
  liveKeys?: readonly string[]
}): string {
  return restoreFiles({
    directory: project,
    backups,
    staging,
    id,
    composeFile: 'docker-compose.yml',
    envFile: '.env',
    archives: readdirSync(backups).map((name) => ({ name, sha256: sha256(readFileSync(join(backups, name))) })),
    modes: { 'docker-compose.yml': '0644', '.env': '0640' },
    paths: input.paths ?? [],
    absent: input.absent ?? [],
    liveKeys: input.liveKeys ?? [],
  })
}

function place(paths: readonly string[], contents: Readonly<Record<string, string>> = {}): string {
  const files = paths.map((path) => ({ path, sha256: sha256(contents[path] ?? path), mode: '750' }))
  return placeFiles({ directory: project, staging, files })
}

function write(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(join(project, path)), { recursive: true })
  writeFileSync(join(project, path), content)
  chmodSync(join(project, path), mode)
}

function stage(path: string, content: string): void {
  mkdirSync(dirname(join(staging, path)), { recursive: true })
  writeFileSync(join(staging, path), content)
}

function read(directory: string, path: string): string {
  return readFileSync(join(directory, path), 'utf8')
}

function leftovers(): string[] {
  return readdirSync(project, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('stepback'))
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
