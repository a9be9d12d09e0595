import { describe, expect, test } from 'vitest'
import { draftConfig } from '../../src/config/draft.js'
import type { Found, FoundService } from '../../src/config/draft/found.js'
import { parseConfig } from '../../src/config/load.js'

const service = (name: string, changes: Partial<FoundService> = {}): FoundService => ({
  name,
  builds: false,
  job: false,
  dependsOn: [],
  environment: new Map(),
  mounts: [],
  healthcheck: null,
  answers: [],
  ...changes,
})
const env = (values: Readonly<Record<string, string>>) => new Map(Object.entries(values))
const db = service('db', {
  environment: env({ PGDATA: '/data', POSTGRES_USER: 'shop', POSTGRES_PASSWORD: 'hunter2', POSTGRES_DB: 'orders' }),
})
const api = service('api', {
  builds: true,
  answers: [
    { url: 'http://127.0.0.1:8000/', body: '<html>' },
    { url: 'http://127.0.0.1:8000/health', body: '{"status":"UP"}' },
    { url: 'http://127.0.0.1:8000/version', body: '{"version":"1.4.2"}' },
  ],
})

const found = (changes: Partial<Found> = {}): Found => ({
  target: 'shop',
  ssh: { host: 'shop.example', user: 'deploy' },
  project: 'shop',
  directory: '/srv/shop',
  composeFiles: ['compose.yml'],
  envFile: '.env',
  environment: env({
    DB_USER: 'shop',
    DB_PASSWORD: 'hunter2',
    STRIPE_API_KEY: 'sk-1',
    MAIL: 'smtp://a:b@c',
    TZ: 'UTC',
  }),
  profiles: [],
  services: [api, db],
  writable: true,
  home: '/home/deploy',
  ...changes,
})
const draft = (changes: Partial<Found> = {}) => {
  const { text, todo } = draftConfig(found(changes), { path: 'stepback.yaml' })
  return { text, todo, shop: parseConfig(text, 'stepback.yaml').targets['shop']! }
}

test('a stack is known by its labels, asked where it answers, and its login is named by the keys that hold it', () => {
  const { shop, todo } = draft()
  expect(shop).toMatchObject({
    ssh: { host: 'shop.example', user: 'deploy' },
    directory: '/srv/shop',
    backups: '/srv/shop/backups',
    compose: { project: 'shop', files: ['compose.yml'], envFile: '.env' },
    services: { application: ['api'] },
    secrets: ['DB_PASSWORD', 'STRIPE_API_KEY', 'MAIL'],
    version: { url: 'http://127.0.0.1:8000/version', field: 'version' },
    database: {
      service: 'db',
      name: 'orders',
      user: { envFile: 'DB_USER' },
      password: { envFile: 'DB_PASSWORD' },
      migrations: 'none',
    },
  })
  expect(shop.health.checks).toMatchObject([
    { name: 'api', url: 'http://127.0.0.1:8000/health', json: { status: 'UP' } },
    { name: 'db', service: 'db', command: ['pg_isready', '-q'] },
  ])
  expect(todo).toEqual([])
})

test('a login that the environment file does not have comes from the environment of the worker, and that is said', () => {
  const { shop, todo } = draft({ environment: env({ OTHER: 'shop' }) })
  expect(shop.database).toMatchObject({ user: { env: 'SHOP_DB_USER' }, password: { env: 'SHOP_DB_PASSWORD' } })
  expect(todo).toEqual([expect.stringContaining('set SHOP_DB_USER and SHOP_DB_PASSWORD')])
})

test('no value of a secret is ever written, not even where Compose put it into a health check', () => {
  const asked = service('api', {
    builds: true,
    healthcheck: ['curl', '-f', 'http://:hunter2@localhost/'],
    environment: env({ TOKEN: 'tok-en', DATABASE_URL: 'postgres://shop:hunter2@db/orders' }),
  })
  const { text, shop } = draft({ services: [asked, db] })
  expect(text).not.toMatch(/hunter2|sk-1|tok-en/)
  expect(shop.health.checks.map((it) => it.name)).toEqual(['db'])
})

test('a container that publishes nothing is asked with its own health check', () => {
  const { shop } = draft({ services: [service('api', { builds: true, healthcheck: ['sh', '-c', 'test -f /ready'] })] })
  expect(shop.health.checks).toMatchObject([{ name: 'api', service: 'api', command: ['sh', '-c', 'test -f /ready'] }])
  expect(shop.database).toBeUndefined()
})

describe('what stops for a rollback', () => {
  const needs = (name: string) => [{ service: name, healthy: false }]

  test('is what is built here, or has to do with the database; no job, and no bystander', () => {
    const services = [
      service('cache'),
      service('init', { builds: true, job: true }),
      service('jobs', { dependsOn: needs('queue') }),
      service('queue', { environment: env({ DATABASE_URL: 'postgres://db:5432/orders' }) }),
      service('relay', { dependsOn: needs('db') }),
      service('site', { builds: true }),
      db,
    ]
    const { shop, text } = draft({ services })
    expect(shop.services.application).toEqual(['queue', 'relay', 'site'])
    expect(text).toContain('Not stopped: cache, jobs.')
  })

  test('is everything but the database where nothing says more', () => {
    expect(draft({ services: [db, service('a'), service('b')] }).shop.services.application).toEqual(['a', 'b'])
  })

  test('has to be something', () => {
    expect(() => draft({ services: [db] })).toThrow('nothing to deploy')
  })
})

test('files that are read go back; what is written and what is secret is protected; the rest is left alone', () => {
  const mounts = [
    { path: 'nginx.conf', kind: 'file', writable: false, secret: false },
    { path: 'models.yaml', kind: 'file', writable: true, secret: false },
    { path: 'app.db', kind: 'file', writable: true, secret: false },
    { path: 'key.txt', kind: 'file', writable: false, secret: true },
    { path: 'uploads', kind: 'directory', writable: true, secret: false },
    { path: 'uploads/tmp', kind: 'directory', writable: true, secret: false },
    { path: 'conf.d', kind: 'directory', writable: false, secret: false },
    { path: 'compose.yml', kind: 'file', writable: false, secret: false },
  ] as const
  const { shop, text } = draft({ services: [{ ...api, mounts }, db] })
  expect(shop.managed).toEqual(['models.yaml', 'nginx.conf'])
  expect(shop.protected).toEqual(['app.db', 'key.txt', 'uploads'])
  expect(text.replaceAll(/\n *#/g, '')).toContain('containers read conf.d')
})

test('a directory of somebody else keeps no restore points, and a missing environment file is said', () => {
  const { shop, todo } = draft({ writable: false, environment: null })
  expect(shop.backups).toBe('/home/deploy/backups/shop')
  expect(todo.join('\n')).toMatch(/touch \/srv\/shop\/\.env[^]*let the SSH user write to \/srv\/shop/)
})

test('paths that YAML would read as something else are quoted', () => {
  const odd = { directory: `/srv/it's "a": #1`, composeFiles: ['over, ride.yml', '*.yml'] }
  const { shop } = draft(odd)
  expect([shop.directory, shop.compose.files]).toEqual([odd.directory, odd.composeFiles])
})

test('an editor is told where the schema lies', () => {
  const { text } = draftConfig(found(), { path: 'stepback.yaml', schema: 'node_modules/stepback/docs/x.json' })
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=node_modules/stepback/docs/x.json')
})
