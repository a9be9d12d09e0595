// The small decisions: start order, gates, health, preflight.

import { describe, expect, test } from 'vitest'
import { parseComposeModel } from '../../src/plan/compose.js'
import { startLevels } from '../../src/plan/start-order.js'
import { isDigestOf, malformed, refusedApproval } from '../../src/plan/gate.js'
import { describeFailing, hasRecovered, isFailing } from '../../src/plan/health.js'
import { type Observed, ensureFit, preflight } from '../../src/plan/preflight.js'

describe('the order of a start', () => {
  const service = (...dependsOn: [string, boolean][]) => ({
    image: 'x',
    builds: false,
    dependsOn: dependsOn.map(([needed, healthy]) => ({ service: needed, healthy })),
  })

  test('puts what a service needs into an earlier level, by name among equals', () => {
    const model = {
      services: { z: service(), a: service(), m: service(['z', false]), b: service(['m', true], ['a', false]) },
    }
    expect(startLevels({ model, services: ['b', 'z', 'm', 'a'] })).toEqual([
      { services: ['a', 'z'], wait: false },
      { services: ['m'], wait: true },
      { services: ['b'], wait: false },
    ])
  })

  test('waits for the health of one only when nothing else could start meanwhile, and of no other', () => {
    const model = {
      services: {
        api: service(),
        models: service(),
        proxy: service(['models', false]),
        brain: service(['proxy', false]),
        web: service(['api', true]),
        edge: service(['web', true], ['api', true]),
      },
    }
    expect(startLevels({ model, services: Object.keys(model.services), scaled: { api: 2 } })).toEqual([
      { services: ['api', 'models'], wait: false, scale: { api: 2 } },
      { services: ['proxy'], wait: false },
      { services: ['brain'], wait: false },
      { services: ['web'], wait: true, awaits: ['api'] },
      { services: ['edge'], wait: false },
    ])
  })

  test('does not wait for what is not started', () => {
    const model = { services: { db: service(), api: service(['db', true]) } }
    expect(startLevels({ model, services: ['api'] })).toEqual([{ services: ['api'], wait: false }])
  })

  test('leaves out services that are not in the file', () => {
    expect(startLevels({ model: { services: { a: service() } }, services: ['a', 'gone'] })).toEqual([
      { services: ['a'], wait: false },
    ])
  })

  test('gives jobs levels of their own, which nobody waits for until they are healthy', () => {
    const model = {
      services: {
        db: service(),
        init: { ...service(['db', true]) },
        side: service(),
        api: { ...service(), dependsOn: [{ service: 'init', healthy: false, completed: true as const }] },
      },
    }
    expect(startLevels({ model, services: ['api', 'init', 'side', 'db'] })).toEqual([
      { services: ['db', 'side'], wait: false },
      { services: ['init'], wait: false, completes: true, awaits: ['db'] },
      { services: ['api'], wait: false },
    ])
  })

  test('names services that restart with another, and counts of containers that differ from the file', () => {
    const model = {
      services: {
        db: service(),
        api: { ...service(), dependsOn: [{ service: 'db', healthy: false, restart: true as const }] },
      },
    }
    expect(startLevels({ model, services: ['api', 'api'], scaled: { api: 3, db: 2 } })).toEqual([
      { services: ['api'], wait: false, restarts: [{ service: 'api', after: ['db'] }], scale: { api: 3 } },
    ])
  })

  test('refuses a circle, and names it', () => {
    const model = { services: { a: service(['b', false]), b: service(['a', false]) } }
    expect(() => startLevels({ model, services: ['a', 'b'] })).toThrow(
      'services depend on each other in a circle: a, b',
    )
  })
})

test("Compose's own JSON is read for images, builds and dependencies; an unnamed image gets the name that Compose gives it", () => {
  const json = JSON.stringify({
    services: {
      db: { image: 'postgres:16', environment: { PASSWORD: 'x' } },
      api: { build: { context: '.' }, depends_on: { db: { condition: 'service_healthy', required: true } } },
      init: { image: 'init', deploy: { replicas: 2 }, depends_on: { db: { restart: true } } },
      web: { image: 'web', scale: 3, depends_on: { init: { condition: 'service_completed_successfully' } } },
    },
  })
  expect(parseComposeModel({ json, project: 'shop' })).toEqual({
    services: {
      db: { image: 'postgres:16', builds: false, dependsOn: [] },
      api: { image: 'shop-api', builds: true, dependsOn: [{ service: 'db', healthy: true }] },
      init: { image: 'init', builds: false, dependsOn: [{ service: 'db', healthy: false, restart: true }], scale: 2 },
      web: {
        image: 'web',
        builds: false,
        dependsOn: [{ service: 'init', healthy: false, completed: true }],
        scale: 3,
      },
    },
  })
})

describe('a digest', () => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
  test.each([
    [digest, true],
    [digest.slice(7), true],
    ['01234567', true],
    ['sha256:01234567', true],
    ['0123456', false],
    ['12345678', false],
    ['', false],
    ['01234567 ', false],
    ['0123456789ABCDEF', false],
    [`${digest}0`, false],
  ])('%j names the plan: %s', (given, named) => {
    expect(isDigestOf(given, digest)).toBe(named)
  })

  test('may be left out only where no data would be lost', () => {
    expect(refusedApproval({ by: 'ann' }, { digest, dataLoss: false })).toBeUndefined()
    expect(refusedApproval({ by: 'ann' }, { digest, dataLoss: true })).toBe(
      `digest: missing; data would be lost, so name the plan: ${digest}`,
    )
    expect(refusedApproval({ by: 'ann', digest: '00000000' }, { digest, dataLoss: false })).toBe(
      `digest: this plan's is ${digest}`,
    )
  })
})

const noName = 'by: expected a name of 1 to 200 characters, none of them a control character'

describe('an answer that cannot be read', () => {
  test.each([
    ['approve', null, 'expected one JSON object'],
    ['approve', ['ann'], 'expected one JSON object'],
    ['approve', {}, 'by: missing; it says who answers'],
    ['approve', { by: '' }, noName],
    ['approve', { by: 'x'.repeat(201) }, noName],
    ['reject', { by: 'ann\u001b[2J' }, noName],
    ['resolve', { by: 'ann\nbob', action: 'skip' }, noName],
    ['approve', { by: 'ann\u202e' }, noName],
    ['reject', { by: 'ann', comment: 'x'.repeat(2_001) }, 'comment: expected a text of 1 to 2000 characters'],
    ['reject', { by: 'ann', ['x'.repeat(1_000_000)]: 1 }, `unknown key "${'x'.repeat(40)}…"; known: by, comment`],
    ['approve', { by: 'ann', digest: 5 }, 'digest: expected a text of 1 to 2000 characters'],
    ['approve', { by: 'ann', force: true }, 'unknown key "force"; known: by, digest, comment, signature'],
    ['reject', { by: 'ann', digest: 'x' }, 'unknown key "digest"; known: by, comment'],
    ['resolve', { by: 'ann' }, 'action: expected "retry", "skip" or "abort"'],
    ['resolve', { by: 'ann', action: 'undo' }, 'action: expected "retry", "skip" or "abort"'],
  ] as const)('%s %.80j: %s', (kind, input, reason) => {
    expect(malformed(kind, input)).toBe(reason)
  })

  test.each([
    ['approve', { by: 'ann', digest: 'x', comment: 'y', signature: 'z' }],
    ['reject', { by: 'ann', comment: 'no' }],
    ['resolve', { by: 'ann', action: 'skip' }],
  ] as const)('is not %s %j', (kind, input) => {
    expect(malformed(kind, input)).toBeUndefined()
  })
})

describe('health', () => {
  const good = [{ check: 'api', healthy: true, detail: 'ok' }]
  const bad = [...good, { check: 'web', healthy: false, detail: 'no answer' }]

  test.each([
    ['too few polls', [good], false],
    ['enough good ones in a row', [bad, good, good], true],
    ['a bad one among the newest', [good, bad, good], false],
    ['none at all', [], false],
  ])('has recovered after %s: %s', (_what, polls, recovered) => {
    expect(hasRecovered(polls, { successes: 2 })).toBe(recovered)
  })

  test.each([
    ['bad ones in a row', [good, bad, bad], true],
    ['a good one between', [bad, good, bad], false],
    ['too few polls', [bad], false],
  ])('is failing after %s: %s', (_what, polls, failing) => {
    expect(isFailing(polls, { failures: 2 })).toBe(failing)
  })

  test('names the checks that fail, and only those', () => {
    expect(describeFailing(bad)).toBe('web: no answer')
  })
})

describe('preflight', () => {
  const own = {
    name: 'shop-api-1',
    project: 'shop',
    directory: '/srv/shop',
    composeFiles: '/srv/shop/docker-compose.yml',
    envFile: '/srv/shop/.env',
  }
  const shop = {
    project: 'shop',
    directory: '/srv/shop',
    composeFiles: ['docker-compose.yml'],
    envFile: '.env',
    containers: [own],
    ownVolumes: [{ key: 'data', name: 'shop_data' }],
    volumes: [{ name: 'shop_data', project: 'shop', key: 'data' }],
  }
  const orphan = { name: 'brain_data', project: 'brain', key: 'data' }
  const fit: Observed = {
    target: 'shop',
    docker: { version: '28.0', error: '' },
    compose: { version: '2.40', error: '' },
    composeFile: { error: null },
    identity: shop,
    named: [{ key: 'logs.service', service: 'api' }],
    services: ['db', 'api'],
    places: [
      { check: 'directory', path: '/srv/shop', writable: true },
      { check: 'backups', path: '/srv/backups', writable: true },
    ],
    disks: [{ what: 'backups', path: '/srv/backups', freeBytes: 9e9, neededBytes: 5e9 }],
    database: { error: null, preparedTransactions: 0 },
  }

  test('names the command that adopts a database without records', () => {
    const found = (unrecorded: boolean) =>
      preflight({ ...fit, database: { error: null, preparedTransactions: 0, unrecorded } }).filter((it) => !it.ok)
    expect(found(true)).toMatchObject([
      { check: 'migrations', hint: expect.stringContaining('migrations shop --baseline') },
    ])
    expect(found(false)).toEqual([])
    const brought = { error: null, preparedTransactions: 0, unrecorded: true, release: '/r/2' }
    expect(preflight({ ...fit, database: brought }).find((it) => !it.ok)?.hint).toMatch(/--release \/r\/2$/)
  })

  test('finds nothing wrong with a host that is fit', () => {
    expect(preflight(fit).filter((finding) => !finding.ok)).toEqual([])
    expect(() => ensureFit('shop', preflight(fit))).not.toThrow()
  })

  test.each([
    [
      'no Docker',
      { docker: { version: null, error: 'permission denied' } },
      'docker: Docker Engine does not answer: permission denied',
    ],
    [
      'no Compose',
      { compose: { version: null, error: 'unknown command' } },
      'compose: Docker Compose does not answer: unknown command',
    ],
    [
      'a compose file that cannot be read',
      { composeFile: { error: 'line 3' } },
      'compose file: docker compose cannot read docker-compose.yml: line 3',
    ],
    [
      'a service that the compose file does not have',
      { named: [{ key: 'logs.service', service: 'apy' }] },
      'services: logs.service names "apy", which is not in the compose file',
    ],
    [
      'the same files under another project',
      { identity: { ...shop, containers: [{ ...own, project: 'brain' }] } },
      'project: container "shop-api-1" belongs to project "brain"',
    ],
    [
      'the same project in another directory',
      { identity: { ...shop, containers: [{ ...own, directory: '/srv/old' }] } },
      'project: container "shop-api-1" belongs to project "shop" in /srv/old',
    ],
    [
      'the same project from other files',
      { identity: { ...shop, containers: [{ ...own, composeFiles: '/srv/shop/other.yml' }] } },
      'from /srv/shop/other.yml with /srv/shop/.env, but the configuration says',
    ],
    [
      'the same files in another order',
      {
        identity: {
          ...shop,
          composeFiles: ['docker-compose.yml', 'b.yml'],
          containers: [{ ...own, composeFiles: '/srv/shop/b.yml,/srv/shop/docker-compose.yml' }],
        },
      },
      'from /srv/shop/docker-compose.yml, /srv/shop/b.yml with',
    ],
    [
      'the same project with another environment file',
      { identity: { ...shop, containers: [{ ...own, envFile: '/srv/shop/prod.env' }] } },
      'with /srv/shop/prod.env, but the configuration says project "shop" in /srv/shop from /srv/shop/docker-compose.yml with /srv/shop/.env',
    ],
    [
      "another project's volume that is left of a stack without containers",
      { identity: { ...shop, containers: [], volumes: [orphan] } },
      'volume "brain_data" belongs to project "brain", but the configuration says project "shop"',
    ],
    [
      'a full disk',
      { disks: [{ what: 'backups', path: '/b', freeBytes: 1e9, neededBytes: 5e9 }] },
      'disk: 1.0 GB free for backups at /b, 5.0 GB needed',
    ],
    [
      'a project directory that the SSH user may not write to',
      { places: [{ check: 'directory' as const, path: '/srv/shop', writable: false }] },
      'directory: the SSH user may not write to /srv/shop',
    ],
    [
      'a backups directory that can neither be written to nor made',
      { places: [{ check: 'backups' as const, path: '/srv/backups', writable: false }] },
      'backups: the SSH user may not write to /srv/backups',
    ],
    [
      'a database that does not answer',
      { database: { error: 'refused', preparedTransactions: 0 } },
      'database: refused',
    ],
    [
      'prepared transactions',
      { database: { error: null, preparedTransactions: 2 } },
      'database: 2 prepared transactions would block a rename',
    ],
  ])('refuses %s', (_what, changes, message) => {
    const findings = preflight({ ...fit, ...changes })
    expect(findings.filter((finding) => !finding.ok)).toHaveLength(1)
    expect(() => ensureFit('shop', findings)).toThrow(
      expect.objectContaining({ type: 'Refused', message: expect.stringContaining(message) }),
    )
  })

  test('lets a run go on without what it does not need', () => {
    const findings = preflight({ ...fit, places: [{ check: 'directory', path: '/srv/shop', writable: false }] })
    expect(() => ensureFit('shop', findings, ['migrations', 'directory'])).not.toThrow()
    expect(() => ensureFit('shop', findings, ['migrations'])).toThrow('directory')
  })

  test('says all that is wrong at once', () => {
    const findings = preflight({
      ...fit,
      composeFile: { error: 'line 3' },
      database: { error: 'refused', preparedTransactions: 0 },
    })
    expect(() => ensureFit('shop', findings)).toThrow(/compose file: .*; database: refused/)
  })

  const elsewhere = { ...own, name: 'x-1', project: 'brain', directory: '/srv/x', composeFiles: '/srv/x/c.yml' }
  test.each([
    ["another stack's containers", { containers: [own, elsewhere] }],
    ['a volume of another stack that has the same key', { containers: [elsewhere], volumes: [orphan] }],
    ['what another stack left, where this one is there', { volumes: [...shop.volumes, orphan] }],
    ['a stack that was started without naming an environment file', { containers: [{ ...own, envFile: '' }] }],
    ['a stack that was never started', { containers: [], volumes: [] }],
    [
      'commas and spaces in paths',
      {
        composeFiles: ['a.yml', 'b, c.yml'],
        containers: [{ ...own, composeFiles: '/srv/shop/a.yml,/srv/shop/b, c.yml' }],
      },
    ],
  ])('does not mind %s', (_what, changes) => {
    const findings = preflight({ ...fit, identity: { ...shop, ...changes } })
    expect(findings.filter((finding) => !finding.ok)).toEqual([])
  })

  test('looks at no database where there is none', () => {
    expect(preflight({ ...fit, database: null }).map((finding) => finding.check)).not.toContain('database')
  })
})
