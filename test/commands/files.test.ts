import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
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
import {
  type FileFact,
  describeFiles,
  measureTrees,
  parseFileFacts,
  parseTrees,
} from '../../src/commands/file-facts.js'
import { captureFiles, fitFiles, placeFiles, restoreFiles } from '../../src/commands/files.js'

const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(([program]) => has(program!))
const odd = [
  'two words.txt',
  "it's.txt",
  '"q" $HOME `id`.txt',
  'new\nline.txt',
  'größe 雪.txt',
  '-rf',
  'deep/er/x=y.txt',
  '$(touch gone wrong)/; touch x',
  '*',
  '~',
  '#',
  '!',
  ' ',
  'tab\there',
  'back\\slash\\n',
  'break at the end\n',
  'dir\n/and below',
  'e\u0301 decomposed',
  '\u00e9 composed',
  'l'.repeat(255),
]
const id = '20261123T140211Z-2.0.0'

let base: string
let project: string
let backups: string
let staging: string
let recorded: FileFact[]

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
        { path: 'link', kind: 'link', sha256: sha256('a'), bytes: 0, mode: '', target: 'a' },
        { path: 'none', kind: 'absent', sha256: '', bytes: 0, mode: '' },
      ])
    })

    test('tells more of them than it asks about at once, each for its own path and in their order', () => {
      const paths = Array.from({ length: 150 }, (_none, index) => `many ${index}`)
      paths.forEach((path, index) => index % 7 !== 3 && write(path, `it is ${path}`, index % 2 === 0 ? 0o600 : 0o4755))
      mkdirSync(join(project, paths[3]!))
      const found = parseFileFacts(sh(describeFiles(project, paths)), paths)
      const modes = ['600', '755']
      expect(found.map((it) => [it.path, it.kind, it.sha256, it.bytes, it.mode])).toEqual(
        paths.map((path, index) => {
          if (index === 3) return [path, 'directory', '', 0, expect.any(String)]
          if (index % 7 === 3) return [path, 'absent', '', 0, '']
          return [path, 'file', sha256(`it is ${path}`), `it is ${path}`.length, modes[index % 2]]
        }),
      )
    })

    test('asks about each by itself where they cannot be told together', () => {
      // A line more than there are files, as by a name that some programs print as it is.
      const fake = ['sha256sum() { command sha256sum "$@" || return; [ $# -lt 2 ] || echo a line of its own; }', '']
      for (const path of ['a', 'b']) write(path, path, 0o600)
      const found = parseFileFacts(sh(fake.join('\n') + describeFiles(project, ['b', 'a'])), ['b', 'a'])
      expect(found.map((it) => [it.path, it.sha256])).toEqual(['b', 'a'].map((path) => [path, sha256(path)]))
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
        sh(restoreScript())
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

    test('leaves no half of a file behind where it has no room', () => {
      write('large', randomBytes(200_000).toString('hex'))
      expect(run(`ulimit -f 50\n${captureScript(['large'])}`).status).not.toBe(0)
      expect(readdirSync(backups).filter((name) => name.includes('config_') || name.endsWith('.part'))).toEqual([])
      stage('large', 'large')
      expect(run(`ulimit -f 0\n${place(['large'])}`).status).not.toBe(0)
      expect(existsSync(staging)).toBe(false)
    })

    test('keeps the live values of secrets, line for line, and restores all else', () => {
      capture([])
      write('.env', 'A=2\nTOKEN=live "x" $y\nexport KEY=live\nLATER=live\nGONE=x\n')
      for (let round = 0; round < 2; round++) {
        sh(restoreScript(['TOKEN', 'KEY', 'LATER', 'NEVER']))
        expect(read(project, '.env')).toBe('A=1\nTOKEN=live "x" $y\n# TOKEN=comment\nexport KEY=live\nLATER=live\n')
      }
    })

    test('keeps values of several lines whole, and does not take their lines for keys', () => {
      write('.env', 'CERT="a\\"\nTOKEN=none\nb"\nTOKEN=old # it\'s\nNOTE=\'x\nCERT=none\'\n')
      capture([])
      write('.env', 'CERT=\'new\nTOKEN=none\n$x\'\nTOKEN: live\nexport KEY="l\n"\n')
      sh(restoreScript(['TOKEN', 'CERT', 'KEY']))
      expect(read(project, '.env')).toBe(
        "CERT='new\nTOKEN=none\n$x'\nTOKEN: live\nNOTE='x\nCERT=none'\nexport KEY=\"l\n\"\n",
      )
    })

    test('reads the same values of kept secrets, however they are written', () => {
      capture([])
      write('.env', envFile)
      sh(restoreScript(Object.keys(values)))
      const merged = parseEnvFile(read(project, '.env'))
      for (const [key, value] of Object.entries(values)) expect(merged.get(key)).toBe(value)
    })

    test('of secrets brings back the environment file as it was', () => {
      capture([])
      write('.env', 'TOKEN=live\n')
      sh(restoreScript())
      expect(read(project, '.env')).toBe('A=1\nTOKEN=old\n# TOKEN=comment\nexport KEY=old\n')
    })

    test('keeps a secret that the saved file has, where the live file is gone', () => {
      capture([])
      rmSync(join(project, '.env'))
      sh(restoreScript(['TOKEN']))
      expect(read(project, '.env')).toContain('TOKEN=old')
    })

    test('with another checksum than the recorded one touches nothing', () => {
      write('models.yaml', 'then')
      capture(['models.yaml', 'came later'])
      const script = restoreScript()
      write('models.yaml', 'now')
      write('came later', 'now')
      writeFileSync(join(backups, `config_${id}.tar.gz`), 'other bytes')
      const { status, stderr } = run(script)
      expect(status).not.toBe(0)
      expect(stderr).toContain(`stepback: another checksum than the recorded one: ${backups}/config_${id}.tar.gz`)
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
      const { status, stderr } = run(restoreScript())
      expect(status).not.toBe(0)
      expect(stderr).toContain('stepback: a directory on the way is a link: ./soul')
      expect(readFileSync(join(outside, 'x'), 'utf8')).toBe('mine')
      recorded = [{ path: 'soul/x', kind: 'absent', sha256: '', bytes: 0, mode: '' }]
      expect(run(restoreScript()).status).not.toBe(0)
      expect(existsSync(join(outside, 'x'))).toBe(true)
    })
  })

  test('going back removes what came anew, links and directories as well, but no directory that holds more', () => {
    write('kept/mine', 'mine')
    const brought = ['new', 'a', 'a/b', 'a/b/link', 'kept/theirs', 'empty', 'shared', 'shared/theirs']
    capture(brought)
    for (const path of ['new', 'kept/theirs', 'shared/theirs', 'shared/somebody']) write(path, 'theirs')
    mkdirSync(join(project, 'a/b'), { recursive: true })
    mkdirSync(join(project, 'empty'))
    symlinkSync('../../kept', join(project, 'a/b/link'))
    for (let round = 0; round < 2; round++) sh(restoreScript())
    expect(readdirSync(project, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(
      ['.env', 'docker-compose.yml', 'kept', 'kept/mine', 'shared', 'shared/somebody'].toSorted(),
    )
  })

  test('going back puts a link back where a file or another link is by now, and touches nothing that it leads to', () => {
    write('dir/inside', 'mine')
    for (const path of ['one', 'two', 'gone']) symlinkSync('dir', join(project, path))
    write('three', 'was a file', 0o640)
    capture(['one', 'two', 'gone', 'three'])
    rmSync(join(project, 'one'))
    write('one', 'a file')
    rmSync(join(project, 'two'))
    symlinkSync('elsewhere', join(project, 'two'))
    rmSync(join(project, 'gone'))
    rmSync(join(project, 'three'))
    symlinkSync('dir', join(project, 'three'))
    for (let round = 0; round < 2; round++) sh(restoreScript())
    for (const path of ['one', 'two', 'gone']) expect(readlinkSync(join(project, path))).toBe('dir')
    expect(read(project, 'three')).toBe('was a file')
    expect(readdirSync(join(project, 'dir'))).toEqual(['inside'])
  })

  test('a managed directory goes back with all that was below it, whatever the names', () => {
    for (const path of odd) write(`conf/${path}`, path, 0o640)
    mkdirSync(join(project, 'conf/empty'), { mode: 0o710 })
    symlinkSync('tab\there', join(project, 'conf/link'))
    capture([], ['conf'])
    rmSync(join(project, 'conf'), { recursive: true })
    for (let round = 0; round < 2; round++) sh(restoreScript())
    for (const path of odd) expect(read(project, `conf/${path}`)).toBe(path)
    expect(statSync(join(project, 'conf', odd[0]!)).mode & 0o777).toBe(0o640)
    expect(statSync(join(project, 'conf/empty')).mode & 0o777).toBe(0o710)
    expect(readlinkSync(join(project, 'conf/link'))).toBe('tab\there')
    expect(leftovers()).toEqual([])
  })

  test('a look at managed directories counts, and names what no archive can bring back', () => {
    write('conf/a', 'x'.repeat(2_000))
    write('file', 'x')
    mkdirSync(join(project, 'pipes'))
    execFileSync('mkfifo', [join(project, 'pipes/a pipe'), join(project, 'pipe')])
    const paths = ['conf', 'file', 'none', 'pipes', 'pipe']
    expect(parseTrees(sh(measureTrees(project, paths)), paths)).toMatchObject([
      { path: 'conf', entries: 2, special: null },
      { path: 'pipes', entries: 2, special: 'pipes/a pipe' },
      { path: 'pipe', entries: 1, special: 'pipe' },
    ])
    expect(parseFileFacts(sh(describeFiles(project, ['pipe'])), ['pipe'])[0]!.kind).toBe('special')
  })

  test('nothing comes back with the right to run as somebody else', () => {
    write('tool', 'x', 0o4755)
    capture(['tool'])
    sh(restoreScript())
    expect(statSync(join(project, 'tool')).mode & 0o7777).toBe(0o755)
  })

  test('what replaces a file belongs to whom it belonged, and what is new to the owner of its directory', () => {
    // Only root can give files away; anybody else keeps what they write.
    const [user, group] = process.getuid!() === 0 ? [4711, 4712] : [process.getuid!(), process.getgid!()]
    write('dir/old', 'old')
    for (const path of ['dir', 'dir/old']) chownSync(join(project, path), user, group)
    capture(['dir/old'])
    for (const path of ['dir/old', 'dir/new/file']) stage(path, path)
    sh(`umask 077\n${place(['dir/old', 'dir/new/file'])}`)
    // As on a host, where jobs are private.
    expect(statSync(join(project, 'dir/new')).mode & 0o777).toBe(0o755)
    for (const path of ['dir/old', 'dir/new', 'dir/new/file']) {
      expect(statSync(join(project, path))).toMatchObject({ uid: user, gid: group })
    }
    sh(restoreScript())
    expect(statSync(join(project, 'dir/old'))).toMatchObject({ uid: user, gid: group })
  })

  describe('placing a release', () => {
    test('puts links and empty directories in place, twice with the same end', () => {
      write('was a file', 'x')
      mkdirSync(join(project, 'dir'))
      symlinkSync('dir', join(project, 'was a link'))
      const link = { kind: 'link', sha256: '', mode: '0777', target: "it's $HOME" } as const
      const files = [
        { ...link, path: 'was a file' },
        { ...link, path: 'was a link' },
        { ...link, path: '-n/deep', target: '-s' },
        { kind: 'directory', path: 'a/b', sha256: '', mode: '0750' } as const,
      ]
      for (let round = 0; round < 2; round++) sh(placeFiles({ directory: project, staging, files, ends: ['dir'] }))
      expect(['was a file', 'was a link', '-n/deep'].map((path) => readlinkSync(join(project, path)))).toEqual([
        "it's $HOME",
        "it's $HOME",
        '-s',
      ])
      expect(statSync(join(project, 'a/b')).mode & 0o777).toBe(0o750)
      expect(readdirSync(join(project, 'dir'))).toEqual([])
    })

    test.each([
      ['a parent that is a file', 'file', 'aFile/x', 'a file is where a directory should be: ./aFile'],
      ['a parent that is a link', 'file', 'aLink/x', 'a directory on the way is a link: ./aLink'],
      ['a directory in the place of a file', 'file', 'aDirectory', 'a directory is where a file should be: aDirectory'],
      ['a directory in the place of a link', 'link', 'aDirectory', 'a directory is where a file should be: aDirectory'],
      ['a link in the place of a directory', 'directory', 'aLink', 'a file is where a directory should be: aLink'],
      ['a pipe', 'file', 'aPipe', 'neither a file nor a link is where a file should be: aPipe'],
    ] as const)('is refused by a look beforehand, and before anything is touched: %s', (_what, kind, path, message) => {
      write('aFile', 'x')
      mkdirSync(join(project, 'aDirectory'))
      symlinkSync('aDirectory', join(project, 'aLink'))
      execFileSync('mkfifo', [join(project, 'aPipe')])
      stage('first', 'first')
      const first = { path: 'first', kind: 'file', sha256: sha256('first'), mode: '0644' } as const
      const files = [first, { path, kind, sha256: '', mode: '0644' }]
      for (const script of [
        fitFiles({ directory: project, files, ends: [] }),
        placeFiles({ directory: project, staging, files, ends: [] }),
      ]) {
        expect(run(script)).toMatchObject({ status: 1, stderr: `stepback: ${message}\n` })
      }
      expect(existsSync(join(project, 'first'))).toBe(false)
    })

    test('is refused where a link of the release leads through a link of the project', () => {
      symlinkSync('/etc', join(project, 'etc'))
      const look = (end: string) => run(fitFiles({ directory: project, files: [], ends: [end] }))
      expect(look('etc/passwd').stderr).toBe('stepback: a directory on the way is a link: ./etc\n')
      expect(look('etc').stderr).toBe('stepback: a link of the release leads through a link: ./etc\n')
      expect(look('not/there').status).toBe(0)
    })

    test('moves files of any name into place with their modes, twice with the same end', () => {
      for (const path of odd) stage(path, path)
      for (let round = 0; round < 2; round++) {
        sh(place(odd))
        for (const path of odd) expect(read(project, path)).toBe(path)
        expect(odd.every((path) => (statSync(join(project, path)).mode & 0o777) === 0o750)).toBe(true)
        expect(leftovers()).toEqual([])
        expect(existsSync(staging)).toBe(false)
      }
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

  function captureScript(paths: readonly string[], trees: readonly string[] = []): string {
    const own = { composeFile: 'docker-compose.yml', envFile: '.env' }
    return captureFiles({ directory: project, backups, id, ...own, paths, trees })
  }

  /** Captures, and remembers what each path was. */
  function capture(paths: readonly string[], trees: readonly string[] = []): void {
    sh(captureScript(paths, trees))
    const all = ['docker-compose.yml', '.env', ...paths]
    recorded = parseFileFacts(sh(describeFiles(project, all, trees)), all)
  }
})

/** Goes back to what was captured last. */
function restoreScript(liveKeys: readonly string[] = []): string {
  const names: Readonly<Record<string, string>> = {
    'docker-compose.yml': `docker-compose_${id}.yml`,
    '.env': `env_${id}`,
  }
  return restoreFiles({
    directory: project,
    backups,
    staging,
    sources: readdirSync(backups).map((name) => ({ name, sha256: sha256(readFileSync(join(backups, name))) })),
    files: recorded.flatMap(({ path, kind, mode, target = '' }) => {
      if (kind === 'absent' || kind === 'special') return []
      const name = names[path] ?? `config_${id}.tar.gz`
      return [{ path, kind, mode, target, name, archived: names[path] === undefined }]
    }),
    absent: recorded.flatMap(({ path, kind }) => (kind === 'absent' ? [path] : [])).toReversed(),
    envFile: '.env',
    liveKeys,
  })
}

function place(paths: readonly string[], contents: Readonly<Record<string, string>> = {}): string {
  const files = paths.map((path) => ({
    path,
    kind: 'file' as const,
    sha256: sha256(contents[path] ?? path),
    mode: '750',
  }))
  return placeFiles({ directory: project, staging, files, ends: [] })
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
