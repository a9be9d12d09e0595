// The stack that is deployed: what it is before, what the release brings, and what is there when all went as planned.

import type { Container, Facts, ReleaseFacts, Stack } from '../../src/plan/facts.js'
import type { MigrationInfo } from '../../src/plan/revision.js'

/** All that a deploy may change. What is compared is this, as text. */
export interface Ground {
  readonly files: Record<string, string>
  /** By reference. */
  readonly images: Record<string, string>
  readonly containers: Record<string, { image: string; from: string; running: boolean }>
  readonly applied: string[]
}

export const before = '1.0.0'
export const after = '2.0.0'

/** How a release turns out: well, or as one that has to be undone. */
export type Release = 'good' | 'does not build' | 'does not migrate' | 'is not healthy'

const services = ['api', 'db', 'web', 'worker']
const built = ['api', 'worker']
const model: Facts['model'] = {
  services: {
    db: { image: 'postgres:16', builds: false, dependsOn: [] },
    api: { image: 'shop-api', builds: true, dependsOn: [{ service: 'db', healthy: true }] },
    worker: { image: 'shop-worker', builds: true, dependsOn: [{ service: 'api', healthy: true }] },
    web: { image: 'nginx:1', builds: false, dependsOn: [{ service: 'api', healthy: false }] },
  },
}

export const migrations: readonly MigrationInfo[] = [1, 2].map((number) => ({
  name: `m00${number}_part170000000000${number}`,
  revision: `m00${number}_part`,
  timestamp: 1_700_000_000_000 + number,
  reversible: true,
}))

export const released: Readonly<Record<string, string>> = {
  'docker-compose.yml': after,
  'api/main.py': after,
  'api/new.py': after,
}

export const release: ReleaseFacts = {
  directory: '/releases/2.0.0',
  sha256: 'e3b0',
  paths: Object.keys(released),
  model,
  migrateTo: null,
  environment: null,
}

export function groundBefore(): Ground {
  return {
    files: { 'docker-compose.yml': before, '.env': 'own', 'api/main.py': before },
    images: Object.fromEntries(services.map((it) => [imageOf(it), idOf(it, before)])),
    containers: Object.fromEntries(services.map((it) => [it, started(it, before)])),
    applied: [migrations[0]!.name],
  }
}

export function groundAfter(): Ground {
  const { files, images, containers } = groundBefore()
  return {
    files: { ...files, ...released },
    images: { ...images, ...Object.fromEntries(built.map((it) => [imageOf(it), idOf(it, after)])) },
    containers: { ...containers, ...Object.fromEntries(built.map((it) => [it, started(it, after)])) },
    applied: migrations.map((it) => it.name),
  }
}

export function imageOf(service: string): string {
  return model.services[service]!.image
}

/** What a build of a service makes of the files of a version; what nothing builds stays what it is. */
export function idOf(service: string, version: string): string {
  return `sha256:${service}-${built.includes(service) ? version : 'any'}`
}

function started(service: string, version: string): Ground['containers'][string] {
  return { image: idOf(service, version), from: built.includes(service) ? version : 'any', running: true }
}

/** Which part of the compose file a service's container is made from: only those that are built differ. */
export function definitionOf(service: string, version: string): string {
  return built.includes(service) ? version : 'any'
}

export function factsOf(seen: {
  readonly target: string
  readonly containers: readonly Container[]
  readonly applied: readonly string[]
  readonly version: string | null
  readonly records: Facts['records']
}): Facts {
  return {
    at: new Date().toISOString(),
    stack: stackOf(seen.target),
    findings: [{ check: 'docker', ok: true, detail: 'simulated' }],
    containers: seen.containers,
    model,
    version: seen.version,
    database: {
      oid: 16_384,
      copies: [],
      sizeBytes: 1_000_000,
      applied: seen.applied,
      known: migrations,
      preparedTransactions: 0,
    },
    missingPrograms: [],
    records: seen.records,
    manifests: [],
  }
}

export const project = 'shop'

function stackOf(target: string): Stack {
  return {
    target,
    project,
    directory: '/srv/shop',
    composeFiles: ['docker-compose.yml'],
    envFile: '.env',
    managed: [],
    protected: [],
    application: ['api', 'worker', 'web'],
    databaseService: 'db',
    named: [],
    checks: [],
    hooks: [],
    logs: true,
    asksVersion: true,
    mayLoseRows: 0,
    approval: {
      deploy: 'never',
      rollback: 'data-loss',
      approvals: 1,
      notRequester: false,
      deadline: '24h',
      atDeadline: 'end',
      scopes: {},
    },
    signers: [],
    operatorDeadlineMs: 60_000,
    freeBytes: 0,
    retention: { keep: 10, counts: 'taken' },
    proof: { when: 'background', keep: 2, warmMs: 3_600_000, keptMs: 3_600_000 },
  }
}
