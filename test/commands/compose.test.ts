import { expect, test } from 'vitest'
import { build, compose, containerIds, stop, up } from '../../src/commands/compose.js'

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
    { services: ['api'], wait: true },
    { services: ['web', 'worker'], wait: false },
  ]
  expect(up(stack, levels)).toEqual([
    `${identity} up --detach --no-deps --no-build --pull never --wait api`,
    `${identity} up --detach --no-deps --no-build --pull never web worker`,
  ])
})

test('nothing to start is no command, since up without a service starts them all', () => {
  expect(up(stack, [])).toEqual([])
})

test('stop gives containers their time', () => {
  expect(stop(stack, ['api', 'web'], 10)).toBe(`${identity} stop --timeout 10 api web`)
})

test('build names its services', () => {
  expect(build(stack, ['api'])).toBe(`${identity} build api`)
})

test("containers are found by this project's label, one-off runs left out", () => {
  expect(containerIds('shop')).toBe(
    'docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=shop --filter label=com.docker.compose.oneoff=False',
  )
})
