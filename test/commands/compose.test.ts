import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { askServer, build, compose, containerIds, lastLines, remove, stop, up } from '../../src/commands/compose.js'

const stack = { project: 'shop', directory: '/srv/shop', files: ['docker-compose.yml'], envFile: '.env', profiles: [] }
const identity =
  'docker compose --project-name shop --project-directory /srv/shop --file /srv/shop/docker-compose.yml --env-file /srv/shop/.env'

test('every call names the whole stack: project, directory, files and environment file', () => {
  expect(compose(stack, 'ps')).toBe(`${identity} ps`)
})

test('several files, profiles and odd names keep their order and are quoted', () => {
  const odd = {
    ...stack,
    directory: "/srv/my shop's",
    files: ['a.yml', '/backups/größe $1.yml'],
    envFile: 'env\nfile',
    profiles: ['gpu', 'x y'],
  }
  expect(compose(odd, 'config')).toBe(
    `docker compose --project-name shop --project-directory '/srv/my shop'\\''s' --file '/srv/my shop'\\''s/a.yml' ` +
      `--file '/backups/größe $1.yml' --env-file '/srv/my shop'\\''s/env\nfile' --profile gpu --profile 'x y' config`,
  )
})

test('up names its services, touches nothing else, builds nothing, pulls nothing, and waits where a later level needs it', () => {
  const levels = [
    { services: ['db'], wait: true },
    { services: ['api', 'cache'], wait: false, scale: { api: 2 } },
    { services: ['web', 'worker'], wait: false, awaits: ['api'] },
  ]
  expect(up(stack, levels)).toEqual([
    `${identity} up --detach --no-deps --no-build --pull never --wait db`,
    `${identity} up --detach --no-deps --no-build --pull never --scale api=2 api cache`,
    `${identity} up --detach --no-deps --no-build --pull never --wait --scale api=2 api`,
    `${identity} up --detach --no-deps --no-build --pull never web worker`,
  ])
})

/** What is said to a Docker that has two containers of the api, and one of each other service; and what it printed. */
function said(...lines: readonly string[]): string[] {
  const docker = `docker() {
    case "$1" in
      ps) printf '%s\\n' 'a2 api' 'w1 web' 'd1 db' 'a1 api' ;;
      *) echo "$*" ;;
    esac
  }`
  return execFileSync('sh', ['-euc', [docker, ...lines].join('\n')], { encoding: 'utf8' })
    .split('\n')
    .slice(0, -1)
}

test('a stop is one call for all containers of the services, whatever state they are in, and for no other', () => {
  expect(said(...stop('shop', ['web', 'api'], 5))).toEqual(['stop --time 5 w1 a2 a1'])
  expect(said(...stop('shop', ['gone'], 5))).toEqual([])
  expect(stop('shop', [], 5)).toEqual([])
  expect(stop('shop', ['api'], 5)[0]).toContain(
    'docker ps --all --no-trunc --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.oneoff=False --format',
  )
})

test('a stop that cannot ask Docker fails', () => {
  const lines = ['docker() { return 1; }', ...stop('shop', ['api'], 5)]
  expect(() => execFileSync('sh', ['-euc', lines.join('\n')])).toThrow('Command failed')
})

test('what a service has too much goes without its volumes', () => {
  expect(said(...remove('shop', ['api']))).toEqual(['rm a2 a1'])
})

test('the last lines are those of every container, service by service, and a server is asked inside its own', () => {
  expect(said(lastLines('shop', ['web', 'api'], 9))).toEqual([
    'logs --tail 9 w1',
    'logs --tail 9 a2',
    'logs --tail 9 a1',
  ])
  expect(askServer('shop', 'db')).toBe(
    `id=$(${containers('db')} --filter status=running | head -n 1)\n[ -n "$id" ] || exit 4\ndocker exec "$id" pg_isready -q -t 5 </dev/null\n`,
  )
})

test('nothing to start is no command, since up without a service starts them all', () => {
  expect(up(stack, [])).toEqual([])
})

const containers = (service: string, more = '') =>
  'docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=shop --filter ' +
  `label=com.docker.compose.oneoff=False --filter label=com.docker.compose.service=${service}${more}`

test('jobs are waited for, and one that ended badly is an error', () => {
  expect(up(stack, [{ services: ['init'], wait: false, completes: true }])).toEqual([
    `${identity} up --detach --no-deps --no-build --pull never init`,
    `for id in $(${containers('init')}); do code=$(docker wait "$id"); [ "$code" = 0 ] || { echo ` +
      `'stepback: service init should have ended well, and ended with exit status' "$code" >&2; exit 1; }; done`,
  ])
})

test('what somebody scaled by hand keeps its containers', () => {
  expect(up(stack, [{ services: ['api', 'web'], wait: false, scale: { api: 3 } }])).toEqual([
    `${identity} up --detach --no-deps --no-build --pull never --scale api=3 api web`,
  ])
})

describe('a service that restarts with another', () => {
  const restart = up(stack, [
    { services: ['api'], wait: false, restarts: [{ service: 'api', after: ['cache', 'db'] }] },
  ])[1]!
  /** A Docker that knows three containers, named like their services, and when each of them started. */
  const docker = (started: Readonly<Record<string, string>>) => `docker() {
    case "$*" in
      ps*service=api*) echo api;; ps*service=db*) echo db;; ps*service=cache*) echo cache;;
      ${Object.entries(started)
        .map(([name, at]) => `inspect*${name}) echo ${at};;`)
        .join(' ')}
      *restart*) echo "$*" | sed 's/.* restart/restart/';;
    esac
  }`
  test.each([
    ['one of them started later', { api: '2026-11-23T10:00:05Z', db: '2026-11-23T10:00:06.5Z', cache: '2026' }, true],
    ['all started earlier', { api: '2026-11-23T10:00:07.25Z', db: '2026-11-23T10:00:06.5Z', cache: '2026' }, false],
  ])('is restarted where %s: %o %s', (_what, started, restarted) => {
    const said = execFileSync('sh', ['-euc', `${docker(started)}\n${restart}`], { encoding: 'utf8' })
    expect(said).toBe(restarted ? 'restart --no-deps api\n' : '')
  })
})

test('build names its services', () => {
  expect(build(stack, ['api'])).toBe(`${identity} build api`)
})

test("containers are found by this project's label, one-off runs left out", () => {
  expect(containerIds('shop')).toBe(
    'docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.oneoff=False',
  )
})
