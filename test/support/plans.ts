// A small shop on one host, as observed, and the plans that the real planner makes for it.

import { createHash } from 'node:crypto'
import type { CarriedTable } from '../../src/plan/carry.js'
import { planDeploy } from '../../src/plan/deploy.js'
import type {
  CandidateFacts,
  Container,
  Copy,
  DatabaseFacts,
  Facts,
  ReleaseFacts,
  Stack,
} from '../../src/plan/facts.js'
import type { LedgerEntry, Recorded, Release } from '../../src/plan/ledger.js'
import type { Manifest, WarmCopy } from '../../src/plan/manifest.js'
import { type Exposure, type Plan, digestText } from '../../src/plan/plan.js'
import type { DeployRequest, RollbackRequest } from '../../src/plan/request.js'
import type { MigrationInfo } from '../../src/plan/revision.js'
import { chooseDestination } from '../../src/plan/destination.js'
import { planRollback } from '../../src/plan/rollback.js'

export const at = '2026-11-23T14:02:11.500Z'

export const m1: MigrationInfo = {
  name: 'm001_start1700000000001',
  revision: 'm001_start',
  timestamp: 1700000000001,
  reversible: true,
}
export const m2: MigrationInfo = {
  name: 'm002_orders1700000000002',
  revision: 'm002_orders',
  timestamp: 1700000000002,
  reversible: true,
}
export const m3: MigrationInfo = {
  name: 'm003_drop1700000000003',
  revision: 'm003_drop',
  timestamp: 1700000000003,
  reversible: false,
}

export const stack: Stack = {
  target: 'shop',
  project: 'shop',
  directory: '/srv/shop',
  composeFiles: ['docker-compose.yml'],
  envFile: '.env',
  managed: ['models.yaml'],
  protected: ['soul'],
  application: ['api', 'worker', 'web'],
  databaseService: 'db',
  named: [{ key: 'logs.service', service: 'worker' }],
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
  operatorDeadlineMs: 30 * 60_000,
  freeBytes: 5_000_000_000,
  retention: { keep: 10, counts: 'taken' },
  proof: { when: 'off', keep: 2, warmMs: 24 * 3_600_000, keptMs: 72 * 3_600_000 },
}

export const model: Facts['model'] = {
  services: {
    db: { image: 'postgres:16', builds: false, dependsOn: [] },
    api: { image: 'shop-api', builds: true, dependsOn: [{ service: 'db', healthy: true }] },
    worker: { image: 'shop-worker', builds: true, dependsOn: [{ service: 'api', healthy: true }] },
    web: { image: 'nginx:1', builds: false, dependsOn: [{ service: 'api', healthy: false }] },
  },
}

export function container(service: string, changes: Partial<Container> = {}): Container {
  const imageRef = model.services[service]?.image ?? service
  return {
    id: `c-${service}`,
    service,
    imageId: `sha256:${service}`,
    imageRef,
    running: true,
    health: null,
    ...changes,
  }
}

export function database(changes: Partial<DatabaseFacts> = {}): DatabaseFacts {
  return {
    oid: 16384,
    copies: [],
    sizeBytes: 1_000_000,
    applied: [m1.name],
    known: [m1, m2, m3],
    preparedTransactions: 0,
    ...changes,
  }
}

export function facts(changes: Partial<Facts> = {}): Facts {
  return {
    at,
    stack,
    findings: [{ check: 'docker', ok: true, detail: 'Docker Engine 28' }],
    containers: ['db', 'api', 'worker', 'web'].map((service) => container(service)),
    model,
    version: '2.0.0',
    database: database(),
    missingPrograms: [],
    records: [],
    manifests: [],
    ...changes,
  }
}

export const release: ReleaseFacts = {
  directory: '/releases/2.1.0',
  sha256: 'e3b0',
  paths: ['docker-compose.yml', 'api/main.py'],
  model,
  migrateTo: null,
  environment: null,
}

export function deployRequest(changes: Partial<DeployRequest> = {}): DeployRequest {
  return {
    target: 'shop',
    version: '2.1.0',
    release: release.directory,
    migrateTo: m2.revision,
    approval: 'policy',
    hotfix: false,
    redeploy: false,
    dryRun: false,
    ...changes,
  }
}

export function rollbackRequest(changes: Partial<RollbackRequest> = {}): RollbackRequest {
  return {
    target: 'shop',
    scope: 'full',
    to: 'latest',
    strategy: 'auto',
    secrets: 'keep',
    approval: 'policy',
    dryRun: false,
    ...changes,
  }
}

export const before210 = '20261123T100000Z-2.0.0'

export function manifest(
  changes: Omit<Partial<Manifest>, 'database'> & {
    readonly migrations?: readonly MigrationInfo[] | null
    readonly warm?: WarmCopy
  } = {},
): Manifest {
  const { migrations = [m1], warm, ...rest } = changes
  const whole = {
    id: before210,
    target: 'shop',
    version: '2.0.0',
    createdAt: '2026-11-23T10:00:00Z',
    run: { workflowId: 'deploy-shop-1', runId: 'run-1' },
    state: 'taken',
    pins: [],
    files: [
      { name: `docker-compose_${before210}.yml`, path: 'docker-compose.yml', sha256: 'aa', bytes: 1, mode: '0644' },
      { name: `env_${before210}`, path: '.env', sha256: 'bb', bytes: 1, mode: '0600' },
    ],
    absentPaths: ['api/main.py'],
    images: ['api', 'db', 'web', 'worker'].map((service) => ({
      service,
      id: `sha256:old-${service}`,
      ref: model.services[service]!.image,
    })),
    ...(migrations && {
      database: {
        name: 'shop',
        file: `db_${before210}.dump`,
        format: 'dump',
        migrations: migrations.map(({ name, timestamp }) => ({ name, timestamp })),
        roles: [],
        extensions: [],
        ...(warm && { warm }),
      },
    }),
    ...rest,
  }
  return whole as unknown as Manifest
}

/** A proof's copy, and how the server shows it while nobody was in it. */
export const warm: WarmCopy = { name: 'shop__warm_0000aaaa', oid: 17001, visits: '9 since ever' }
export const standing: Copy = { ...warm, open: false }

export function candidate(changes: Partial<CandidateFacts> = {}): CandidateFacts {
  return {
    manifest: manifest(),
    model,
    paths: ['docker-compose.yml', '.env', 'api/main.py'],
    changedFiles: ['docker-compose.yml'],
    changedImages: ['api'],
    missingImages: [],
    exposure: exposure(0),
    downExposure: exposure(0),
    environment: null,
    ...changes,
  }
}

export function exposure(total: number): Exposure {
  const table = { table: 'orders', inserted: total, updated: 0, deleted: 0, newest: at, method: 'exact' }
  return { total, tables: total === 0 ? [] : [table] }
}

/** Ledger records in the order of the chain, a minute apart. */
/** What became of the rows of a table that were to be carried. */
export function carried(table: string, figures: Partial<CarriedTable> = {}): CarriedTable {
  return { table, method: 'ids', carried: 0, conflicting: 0, notFitting: 0, lost: 0, reasons: [], ...figures }
}

export function records(...entries: readonly LedgerEntry[]): Recorded[] {
  return entries.map((entry, index) => ({
    at: new Date(Date.parse('2026-11-23T10:00:30Z') + index * 60_000).toISOString(),
    token: index + 1,
    entry,
    void: false,
  }))
}

export function finished(release: Release, runId = `run-of-${release.version}`, outcome = 'done'): LedgerEntry {
  return { kind: 'finished', run: { workflowId: 'some-run', runId }, outcome, release }
}

/** 2.1.0 was deployed over 2.0.0, with the migration m002. */
export function afterDeploy(changes: Partial<Facts> = {}): Facts {
  return facts({
    version: '2.1.0',
    database: database({ applied: [m1.name, m2.name] }),
    records: records(finished({ kind: 'deploy', version: '2.1.0', restorePoint: before210, paths: ['api/main.py'] })),
    manifests: [manifest()],
    ...changes,
  })
}

export function deployPlan(request = deployRequest(), seen = facts(), brought: ReleaseFacts | null = release): Plan {
  return withDigest(planDeploy(request, seen, brought), request)
}

/** By default over an irreversible migration, so that the database is restored and swapped in. */
export function rollbackPlan(
  request = rollbackRequest(),
  seen = afterDeploy({ database: database({ applied: [m1.name, m3.name] }) }),
  found = candidate(),
): Plan {
  const destination = chooseDestination(request, seen)
  if (destination.kind !== 'restore-point') throw new Error('expected a restore point')
  return withDigest(planRollback(request, seen, found, destination.because), request)
}

export function withDigest(plan: Omit<Plan, 'digest'>, request: object): Plan {
  return { ...plan, digest: `sha256:${createHash('sha256').update(digestText(plan, request)).digest('hex')}` }
}

/** What is expected of an undo behind step k, counted from 0: the undos of what was started, last first. */
export function undosOf({ steps }: Plan, k: number): string[] {
  const undos: string[] = []
  for (let index = k; index >= 0; index--) undos.push(...steps[index]!.undo.map((act) => `undo ${act.name}`))
  return undos
}

/** Where a run is once step k and what goes on beside it have come to their end. */
export function endOfGroup(plan: Plan, k: number): number {
  return plan.steps[k + 1]?.beside ? endOfGroup(plan, k + 1) : k
}

/** How the steps are shown when one failed, and all was put back up to the last one that ran beside it. */
export function statesAfterUndo({ steps }: Plan, failed: number, last = failed): string[] {
  return steps.map((step, index) => {
    if (index > last) return 'pending'
    return step.undo.length > 0 ? 'undone' : index === failed ? 'failed' : 'done'
  })
}
