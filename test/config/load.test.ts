import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEnvFile } from '../../src/config/env-file.js'
import { findTarget, loadConfig, parseConfig } from '../../src/config/load.js'
import { Secret } from '../../src/config/secret.js'
import { keyPair } from '../support/people.js'

const minimal = `
targets:
  shop:
    ssh: { host: shop.test, user: deploy }
    directory: /srv/shop/
    backups: /srv/shop/backups
    compose: { project: shop, files: [./docker-compose.yml] }
    services: { application: [api] }
`

describe('a configuration', () => {
  test('gets its defaults', () => {
    const shop = findTarget(parseConfig(minimal, 'stepback.yaml'), 'shop')
    expect(shop).toMatchObject({
      name: 'shop',
      directory: '/srv/shop',
      compose: { files: ['docker-compose.yml'], envFile: '.env' },
      approval: { deploy: 'never', rollback: 'data-loss', deadline: '24h' },
      operatorDeadline: '30m',
      undo: { mayLoseRows: 0 },
      secrets: [],
      protected: [],
    })
  })

  test('that is wrong in many places says all of them at once, path first', () => {
    const wrong = `
targets:
  shop:
    ssh: { host: shop.test, user: deploy, port: 70000 }
    directory: srv/shop
    backups: /srv/../etc
    compose: { project: Shop, files: [] }
    services: { application: [api] }
    managed: [/etc/passwd, ../x]
    colour: blue
    operatorDeadline: 5
    health: { checks: [{ name: api }] }
`
    const message = messageOf(() => parseConfig(wrong, 'stepback.yaml'))
    expect(message.split('\n')[0]).toBe('configuration "stepback.yaml" is not valid')
    for (const line of [
      '  targets/shop/ssh/port: Too big: expected number to be <=65535',
      '  targets/shop/directory: should be an absolute path without ".."',
      '  targets/shop/backups: should be an absolute path without ".."',
      '  targets/shop/compose/project: should be a Compose project name',
      '  targets/shop/compose/files: Too small: expected array to have >=1 items',
      '  targets/shop/managed/0: should be a path inside the project directory',
      '  targets/shop/managed/1: should be a path inside the project directory',
      '  targets/shop/colour: unknown key',
      '  targets/shop/operatorDeadline: expected string, received number',
      '  targets/shop/health/checks/0: should have either "url" or "command"',
    ]) {
      expect(message.split('\n')).toContain(line)
    }
  })

  test('that contradicts itself says so together with all else that is wrong, in every target', () => {
    const wrong = `
targets:
  Sh op: {}
  shop:
    ssh: { host: shop.test, user: deploy, port: 70000 }
    directory: /srv/shop
    backups: /srv/shop/soul/backups
    compose: { project: shop, files: [a.yml, a.yml, .env] }
    services: { application: [api, db] }
    managed: [soul/x]
    protected: [soul]
    database: { service: db, name: shop, user: { env: U }, password: { env: P } }
    health: { interval: 0s, checks: [{ name: api, url: 'http://x' }, { name: api, service: db, url: 'http://x' }] }
  twin:
    ssh: { host: shop.test, user: deploy, port: 70000 }
    directory: /srv/shop
    backups: /srv
    compose: { project: shop, files: [a.yml] }
    services: { application: [api] }
`
    expect(problemsOf(wrong)).toEqual([
      'targets/Sh op: should be a name of letters, digits, ".", "_" and "-"',
      'targets/shop/ssh/port: Too big: expected number to be <=65535',
      'targets/shop/health/checks/1: should have "command" and "service", or neither',
      'targets/shop/health/interval: should not be zero',
      'targets/shop/health/checks/1: "api" is there twice',
      'targets/shop/compose/files/1: "a.yml" is there twice',
      'targets/shop/services/application/1: should not be the service of the database',
      'targets/shop/managed/0: should not overlap the protected path "soul"',
      'targets/shop/backups: should not overlap the protected path "soul"',
      'targets/shop/compose/envFile: should not be one of the compose files',
      'targets/twin/ssh/port: Too big: expected number to be <=65535',
      'targets/twin/backups: should not hold the project directory',
      'targets/twin/compose/project: should be another stack than target "shop", on the same host',
    ])
  })

  test('takes a line break for a part of a path, and finds what leads out of one behind it', () => {
    const managing = (path: string) => `${minimal}    managed: [${JSON.stringify(path)}]\n`
    const odd = "-rf 'x'\ngröße $(id)"
    expect(parseConfig(managing(odd), 'stepback.yaml').targets['shop']!.managed).toEqual([odd])
    expect(problemsOf(managing('a\n/../../etc'))).toEqual([
      'targets/shop/managed/0: should be a path inside the project directory',
    ])
    const backups = minimal.replace(/backups: .*/, 'backups: "/srv/a\\n/../../etc"')
    expect(problemsOf(backups)).toContain('targets/shop/backups: should be an absolute path without ".."')
  })

  test.each([
    ['soul/notes', 'protected path "soul"'],
    ['models/notes', '"models", which has files of its own'],
    ['backups', '"backups", which has files of its own'],
    ['../notes', 'should be a path inside the project directory'],
  ])('refuses notes of incidents in %s', (incidents, why) => {
    const paths = `    protected: [soul]\n    managed: [models]\n    incidents: ${incidents}\n`
    expect(problemsOf(`${minimal}${paths}`)).toEqual([expect.stringMatching(/^targets\/shop\/incidents: should /)])
    expect(problemsOf(`${minimal}${paths}`)[0]).toContain(why)
  })

  test('says who may approve, how many, and who signs; a gate that nobody could open is refused', () => {
    const { publicKey, privateKey } = keyPair()
    const indented = (pem: string) => pem.trim().replaceAll('\n', '\n      ')
    const people = (pem: string) => `people:\n  ann:\n    publicKey: |\n      ${indented(pem)}\n`
    const approval = '    approval: { approvers: [ann, bob], approvals: 2, scopes: { database: { approvals: 1 } } }\n'
    const config = parseConfig(`${minimal}${approval}${people(publicKey)}`, 'x.yaml')
    expect(config.people['ann']!.publicKey.trim()).toBe(publicKey.trim())
    expect(config.targets['shop']!.approval).toMatchObject({ approvals: 2, notRequester: false, atDeadline: 'end' })
    const wrong = '    approval: { approvers: [ann, ann], scopes: { deploy: { approvals: 3 }, half: {} } }\n'
    expect(problemsOf(`${minimal}${wrong}${people(privateKey)}`)).toEqual([
      expect.stringMatching(/^people\/ann\/publicKey: should be an Ed25519 public key in PEM/),
      'targets/shop/approval/scopes/half: unknown key',
      'targets/shop/approval/approvers/1: "ann" is there twice',
      'targets/shop/approval/scopes/deploy/approvals: should not be more than the 2 approvers',
    ])
  })

  test('that is no YAML is InvalidConfiguration with every place, and quotes no line of it', () => {
    expect(problemsOf('targets: {a: 1, a: 2}\n\tb: "hunter2')).toEqual([
      'line 1, column 17: "a" is set twice',
      'line 2, column 1: Tabs are not allowed as indentation',
      'line 2, column 13: Missing closing "quote',
    ])
    expect(problemsOf('a: 1\n---\nb: 2')).toEqual(['line 2, column 1: a second document begins here'])
    expect(problemsOf('a: !env B')).toEqual(['line 1, column 4: Unresolved tag: !env'])
    expect(problemsOf('a: *b')).toEqual(['Unresolved alias (the anchor must be set before the alias): b'])
  })

  test('that is a bomb of aliases is refused', () => {
    const ten = (inner: string) => `[${Array.from({ length: 10 }, () => inner).join(',')}]`
    const bomb = `a: &a ${ten('x')}\nb: &b ${ten('*a')}\nc: &c ${ten('*b')}\nd: ${ten('*c')}`
    expect(problemsOf(bomb)).toEqual(['Excessive alias count indicates a resource exhaustion attack'])
  })

  test('knows anchors and merge keys, as Compose files do', () => {
    const merged = minimal.replace('  shop:\n    ssh: {', '  shop:\n    ssh: &ssh {') + twin('{ <<: *ssh, port: 2222 }')
    expect(parseConfig(merged, 'x.yaml').targets['twin']!.ssh).toMatchObject({ host: 'shop.test', port: 2222 })
  })

  test.each(['__proto__: {}', 'temporal: { __proto__: { address: x } }'])('with %j has an unknown key', (line) => {
    expect(problemsOf(`${minimal}${line}\n`)).toEqual([expect.stringMatching(/^(temporal\/)?__proto__: unknown key$/)])
  })

  test('without a target is refused', () => {
    expect(messageOf(() => parseConfig('targets: {}', 'x.yaml'))).toContain('targets: should name at least one target')
  })

  test('that holds a secret itself is refused: only references are known', () => {
    const wrong = `${minimal}    database: { service: db, name: shop, user: { env: U }, password: hunter2 }\n`
    const message = messageOf(() => parseConfig(wrong, 'x.yaml'))
    expect(message).toContain(
      'targets/shop/database/password: should be a reference: { env: NAME } to a variable of the worker, ' +
        'or { envFile: KEY } to the environment file',
    )
    expect(message).not.toContain('hunter2')
  })
})

test.each(['nope', 'constructor', '__proto__'])('the target %j is unknown, and the known ones are listed', (name) => {
  expect(() => findTarget(parseConfig(minimal, 'x'), name)).toThrow(
    expect.objectContaining({ type: 'UnknownTarget', message: `target "${name}" is not configured; known: shop` }),
  )
})

describe('a configuration file', () => {
  let directory: string
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'stepback-config-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test('has local paths that are relative to itself or to the home directory', () => {
    const text = minimal.replace(
      'user: deploy',
      'user: deploy, identityFile: keys/id, knownHosts: [~/.ssh/known_hosts, /etc/known]',
    )
    writeFileSync(join(directory, 'stepback.yaml'), text)
    expect(loadConfig(join(directory, 'stepback.yaml')).targets['shop']!.ssh).toMatchObject({
      identityFile: join(directory, 'keys/id'),
      knownHosts: [join(homedir(), '.ssh/known_hosts'), '/etc/known'],
    })
  })

  test('that is missing is InvalidConfiguration, and says which', () => {
    const path = join(directory, 'none.yaml')
    expect(() => loadConfig(path)).toThrow(
      expect.objectContaining({
        type: 'InvalidConfiguration',
        message: expect.stringContaining(`configuration "${path}" cannot be read`),
      }),
    )
  })
})

describe('an environment file', () => {
  test.each([
    ['A=1', 'A', '1'],
    ['export A=1', 'A', '1'],
    ['  A = 1  ', 'A', '1'],
    ['A=', 'A', ''],
    ['A=a=b', 'A', 'a=b'],
    ['A=a#b', 'A', 'a#b'],
    ['A=a # comment', 'A', 'a'],
    [`A='a # "b" $C'`, 'A', 'a # "b" $C'],
    ['A="a \\"b\\" \\$c # d"', 'A', 'a "b" $c # d'],
    ['A="a\\nb"', 'A', 'a\nb'],
    ['A="C:\\\\new"', 'A', 'C:\\new'],
    ['A=1\r\nB=2', 'B', '2'],
    ['A=1\nA=2', 'A', '2'],
    ['A=größe', 'A', 'größe'],
  ])('%j sets %s to %j', (text, key, value) => {
    expect(parseEnvFile(text).get(key)).toBe(value)
  })
})

test('a secret prints as [redacted] wherever it goes', () => {
  const secret = new Secret('hunter2')
  expect(`${secret} ${JSON.stringify({ secret })}`).toBe('[redacted] {"secret":"[redacted]"}')
  expect(secret.reveal()).toBe('hunter2')
})

/** Another stack on the same host. */
function twin(ssh: string): string {
  return `  twin:
    ssh: ${ssh}
    directory: /srv/twin
    backups: /srv/twin/backups
    compose: { project: twin, files: [docker-compose.yml] }
    services: { application: [api] }
`
}

function problemsOf(text: string): string[] {
  const lines = messageOf(() => parseConfig(text, 'x.yaml')).split('\n')
  expect(lines[0]).toBe('configuration "x.yaml" is not valid')
  expect(lines.at(-1)).toBe('hint: mend these lines; docs/config.md describes every key.')
  return lines.slice(1, -1).map((line) => line.trim())
}

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}
