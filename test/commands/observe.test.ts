import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  composeConfig,
  composeConfigWith,
  containersAround,
  databaseFreeBytes,
  everyContainer,
  dockerFacts,
  freeBytes,
  imageIds,
  imageMajor,
  labelledVolumes,
  readEnvFile,
  writablePlaces,
} from '../../src/commands/observe.js'
import { command, quote } from '../../src/commands/shell.js'

const directory = mkdtempSync(join(tmpdir(), "stepback it's "))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const stack = {
  project: 'shop',
  directory: '/srv/my shop',
  files: ['a.yml', 'b.yml'],
  envFile: '.env',
  profiles: ['gpu'],
}
const sh = (script: string) => execFileSync('sh', ['-c', script], { encoding: 'utf8' })

test('what is known of the engine and its plugin is asked at once, with the free bytes at its root', () => {
  const engine = (root: string) => `docker() { printf '%s\\n' 28.1 2.26 '${root}'; }\n`
  const there = sh(engine(directory.replaceAll("'", `'\\''`)) + dockerFacts).split('\n')
  expect(there).toEqual(['28.1', '2.26', directory, expect.stringMatching(/^\d+$/), ''])
  expect(sh(engine('/not/on this host') + dockerFacts)).toBe('28.1\n2.26\n/not/on this host\n')
})

test('an engine that does not answer says so by the exit status, and the plugin is known all the same', () => {
  const down = `docker() { printf '%s\\n' '' 2.26 ''; return 1; }\n`
  expect(sh(`${down}( ${dockerFacts} ); echo "status $?"`)).toBe('\n2.26\nstatus 1\n')
})

test('labels are read as JSON, since paths hold what a list would be split at', () => {
  expect(labelledVolumes).toBe(
    'docker volume ls --filter label=com.docker.compose.project --format \'[{{json .Name}},{{json (.Label "com.docker.compose.project")}},{{json (.Label "com.docker.compose.volume")}}]\'\n',
  )
  expect(everyContainer).toMatch(/^docker ps --all --no-trunc --format /)
  expect(everyContainer).toContain('{{json (.Label "com.docker.compose.project.config_files")}}')
})

test('of all containers that are listed those that Compose made for this project are described', () => {
  const row = (...fields: readonly string[]) => JSON.stringify([...fields, '/srv', 'a.yml', ''])
  const rows = [
    row('own1', 'running', 'v,/srv', 'shop-web-1', 'shop', 'False'),
    row('run1', 'exited', '', 'shop-run', 'shop', 'True'),
    row('hand1', 'running', '', 'by,"shop","False",hand', '', ''),
    row('own2', 'exited', '', 'shop-db-1', 'shop', 'False'),
  ]
  const list = command('printf', '%s\\n', ...rows)
  const fake = `docker() { if [ "$1" = ps ]; then ${list}; else echo "$@"; fi; }\n`
  expect(sh(fake + containersAround('shop'))).toBe(`${rows.join('\n')}\n\ninspect --type container own1 own2\n`)
  expect(sh(`docker() { return 1; }\n( ${containersAround('shop')} ); echo "status $?"`)).toBe('status 1\n')
})

test('the stack is read as JSON with its whole identity', () => {
  expect(composeConfig(stack)).toBe(
    "docker compose --project-name shop --project-directory '/srv/my shop' --file '/srv/my shop/a.yml' --file '/srv/my shop/b.yml' " +
      "--env-file '/srv/my shop/.env' --profile gpu config --format json\n",
  )
})

test('a release is read with its own files in the place of those on the host, and leaves nothing behind', () => {
  const content = "services: {}\n# it's $HOME `id` größe\n"
  const script = composeConfigWith({
    stack,
    stateDirectory: `${directory}/state`,
    replaced: [
      { path: 'a.yml', print: command('printf', '%s', content) },
      { path: '.env', print: 'printf A=1' },
    ],
  })
  const fake =
    'docker() { i=1; for word in "$@"; do case $word in */0) cat "$word";; */1) echo; cat "$word"; echo;; esac; done; echo "$@" | sed "s,$d,D,g"; }\n'
  const printed = sh(fake + script)
  // Before the first run there is no state directory, and none is made.
  expect(existsSync(`${directory}/state`)).toBe(false)
  mkdirSync(`${directory}/state/staging`, { recursive: true })
  expect(sh(fake + script)).toBe(printed)
  expect(printed).toBe(
    `${content}\nA=1\ncompose --project-name shop --project-directory /srv/my shop --file D/0 --file /srv/my shop/b.yml --env-file D/1 --profile gpu config --format json\n`,
  )
  expect(sh(`ls -A '${directory.replaceAll("'", `'\\''`)}/state/staging'`)).toBe('')
})

test('a hash is asked of the stack with its environment files read, where it has some', () => {
  const hash = (content: string, first = ':') => {
    const replaced = [{ path: 'a.yml', print: command('printf', '%s', content) }]
    const words = ['config', '--hash', 'db']
    const single = { ...stack, files: ['a.yml'], profiles: [] }
    const script = composeConfigWith({ stack: single, stateDirectory: `${directory}/none`, replaced, words })
    const docker = `docker() { ${first}; for word; do case $word in */whole.json) cat "$word"; return;; esac; done; shift 5; echo "$@" | sed "s,$d,D,g"; }\n`
    return sh(docker + script)
  }
  const asked = (file: string, words: string) => `--file ${file} --env-file /srv/my shop/.env ${words}\n`
  expect(hash('services: {}')).toBe(asked('D/0', 'config --hash db'))
  expect(hash('env_file: db.env')).toBe(asked('D/0', 'config --format json'))
  expect(hash('env_file: unreadable', 'case $* in *json*) return 1;; esac')).toBe(asked('D/0', 'config --hash db'))
})

test('where one may write is told of what is not there yet, too, and nothing is made', () => {
  const file = `${directory}/a file`
  writeFileSync(file, '')
  const told = (places: object) =>
    sh(
      writablePlaces({
        directory,
        backups: `${directory}/not/yet`,
        stateDirectory: `${directory}/not/yet/x`,
        ...places,
      }),
    )
  expect(told({})).toBe('directory\nbackups\n')
  expect(told({ directory: `${directory}/not` })).toBe('backups\n')
  expect(told({ directory: file, backups: `${file}/x`, stateDirectory: `${file}/x/y` })).toBe('')
  expect(told({ stateDirectory: `${file}/y` })).toBe('directory\n')
  expect(existsSync(`${directory}/not`)).toBe(false)
})

test('free bytes of a path that does not exist yet are those of its nearest parent', () => {
  expect(Number(sh(freeBytes(`${directory}/not/yet`)))).toBeGreaterThan(0)
  expect(sh(freeBytes(`${directory}/not/yet`))).toMatch(/^\d+\n$/)
})

test('free bytes of a database are asked on the host where it may look at what holds them, else in its container', () => {
  const place = "/data/it's $HOME"
  const fake = 'docker() { printf "%s\\n" "Filesystem Blocks" "inside 1 1 7"; }\n'
  const df = `df() { [ "$*" = ${quote(`-Pk ${place}`)} ] && printf "%s\\n" "Filesystem Blocks" "host 1 1 5"; }\n`
  expect(sh(fake + df + databaseFreeBytes('c1', place))).toBe('5120\n')
  expect(sh(fake + df + databaseFreeBytes('c1', '/data'))).toBe('7168\n')
  expect(sh(fake + databaseFreeBytes('c1', `${directory}/not`))).toBe('7168\n')
})

test('free bytes of a database are asked inside its container, with nothing of ours on its standard input', () => {
  const fake = 'docker() { printf "%s\\n" "Filesystem Blocks" "$2 1 1 7"; cat; }\n'
  expect(sh(`${fake}echo 9 | { ${databaseFreeBytes('c1')} }`)).toBe('7168\n')
  expect(databaseFreeBytes('c1')).toContain(`sh -c 'df -Pk "\${PGDATA:-/var/lib/postgresql}"' </dev/null`)
})

test('images that exist print their id, others a dash, one line each', () => {
  // As the real one: what is there is printed, and one that is missing makes it fail.
  const fake = `docker() {
    shift 4; status=0
    for it in "$@"; do if [ "$it" = here ]; then echo sha256:11; else status=1; fi; done
    return $status
  }\n`
  expect(sh(fake + imageIds(['here', 'not here', 'here']))).toBe('sha256:11\n-\nsha256:11\n')
  expect(sh(fake + imageIds(['here', 'here']))).toBe('sha256:11\nsha256:11\n')
})

test('an environment file is read by its whole path', () => {
  writeFileSync(join(directory, 'my env'), 'A=1\n')
  expect(sh(readEnvFile(directory, 'my env'))).toBe('A=1\n')
})

test.each([
  ['says so itself', 'echo PG_MAJOR=17', 'exit 9', '17'],
  ['is asked, and no server is started', 'echo PATH=/bin', 'echo "postgres (PostgreSQL) 16.4 (Debian)"', '16'],
  ['cannot be asked', 'exit 1', 'exit 1', ''],
])('the major version of an image that %s', (_what, inspect, run, major) => {
  const fake = `docker() { case "$*" in image*) (${inspect});; "run --rm --pull never --network none --entrypoint postgres"*) (${run});; esac; }\n`
  expect(sh(fake + imageMajor("it's:1"))).toBe(`${major}\n`)
})
