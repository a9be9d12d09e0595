// A host with a database and nothing else: a real SSH server, a real PostgreSQL, and a stand-in for Docker that has one
// container, whose programs are those of that server. On it acts of a run are done as their activities do them.

import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MockActivityEnvironment } from '@temporalio/testing'
import pg from 'pg'
import { stringify } from 'yaml'
import { removeDirectory } from '../../sandbox/remove.js'
import type { ActResult } from '../../src/activities/act-input.js'
import { createActivities } from '../../src/activities/index.js'
import { Look } from '../../src/activities/observe/look.js'
import { seeDatabase } from '../../src/commands/database/rehearsal.js'
import { compose } from '../../src/composition.js'
import { parseConfig } from '../../src/config/load.js'
import type { ActArgs, ActName } from '../../src/plan/act.js'
import { restorePointId, runDigits } from '../../src/plan/ledger.js'
import { type Manifest, parseManifest } from '../../src/plan/manifest.js'
import type { Shown } from '../../src/plan/plan.js'
import { type TestPostgres, startPostgres } from './postgres.js'
import { startSshd } from './sshd.js'

export interface DatabaseHost {
  readonly server: TestPostgres
  readonly backups: string
  /** The live database's name. */
  readonly live: string
  /** A run of its own, which holds the lease. */
  run(): Promise<Run>
  /** A look as every plan begins with. */
  look(): Promise<Look>
  /** What is in the live database, and that it lets the application in. */
  state(): Promise<LiveState>
  /** Names of all databases but the server's own and the journal, those that nobody may enter in brackets. */
  databases(): Promise<readonly string[]>
  manifest(id: string): Manifest
  /** A session of somebody else, `postgres` in the live database unless said otherwise. */
  session(user?: string, database?: string): Promise<pg.Client>
  endSessions(): Promise<void>
  /** Whether a session of ours waits for a lock. */
  waits(): Promise<boolean>
  stop(): Promise<void>
}

export interface LiveState {
  readonly oid: number
  readonly lines: readonly string[]
}

export interface Run {
  /** The part of its id that names databases carry. */
  readonly run8: string
  /** The restore point that it takes. */
  readonly safety: string
  /** Takes it, of the database as it is. */
  take(tries?: number): Promise<ActResult>
  /** Does one act as its activity does it. */
  act<N extends ActName>(
    name: N,
    args: ActArgs[N],
    how?: {
      /** Of an undo: the act that it undoes. */
      readonly undoes?: ActName
      readonly shown?: Shown
      /** Of a person, each with jobs of its own; and of Temporal, which joins them. */
      readonly tries?: number
      readonly attempt?: number
    },
  ): Promise<ActResult>
}

export interface HostInput {
  readonly live?: string
  /** More of the target's database section. */
  readonly database?: object
  /** More of the target. */
  readonly target?: object
  /** Directories to work in, such as small file systems. */
  readonly backupsIn?: string
  readonly serverIn?: string
}

/** `schema` is run in the live database, which belongs to `application`; stepback is `keeper`, a superuser. */
export async function startDatabaseHost(schema: string, input: HostInput = {}): Promise<DatabaseHost> {
  const { live = 'shop' } = input
  const root = mkdtempSync(join(tmpdir(), "stepback it's a host "))
  const backups = join(input.backupsIn ?? root, 'back ups')
  const [directory, bin] = [join(root, 'project'), mkdtempSync(join(tmpdir(), 'stepback-bin-'))]
  for (const made of [directory, backups]) mkdirSync(made)
  writeFileSync(join(directory, 'docker-compose.yml'), 'services: {}\n')
  writeFileSync(join(directory, '.env'), 'DB_USER=keeper\nDB_PASSWORD=unused\n')
  const server = await startPostgres(input.serverIn)
  writeFileSync(join(bin, 'docker'), docker(server))
  chmodSync(join(bin, 'docker'), 0o755)
  const sshd = await startSshd({ path: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` })
  await server.query('postgres', 'create role application login; create role keeper login superuser')
  await server.query('postgres', `create database ${quoted(live)} owner application`)
  await server.query(live, schema)
  const { host, port, user, identityFile, knownHostsFiles } = sshd.options
  const config = {
    targets: {
      shop: {
        ssh: { host, port, user, identityFile, knownHosts: knownHostsFiles },
        directory,
        backups,
        compose: { project: 'shop', files: ['docker-compose.yml'] },
        services: { application: ['api'] },
        database: {
          service: 'db',
          name: live,
          port: server.port,
          user: { envFile: 'DB_USER' },
          password: { envFile: 'DB_PASSWORD' },
          migrations: 'none',
          ...input.database,
        },
        disk: { freeBytes: 0 },
        ...input.target,
      },
    },
  }
  const { deps, close } = compose({ config: parseConfig(stringify(config), 'test.yaml'), namespace: 'default' })
  // Who held the lease before is gone, so that each run takes it over.
  const activities = createActivities({ ...deps, runs: { ...deps.runs, state: async () => 'closed' } })
  const sessions: pg.Client[] = []
  let runs = 0
  return {
    server,
    backups,
    live,
    run: async () => await begin(activities, ++runs),
    look: async () => await Look.at(deps, 'shop'),
    state: async () => {
      const [row] = await server.query<{ oid: number }>(live, 'select oid from pg_database where datname = $1', [live])
      const see = seeDatabase({ exec: server.exec(), psqlUser: 'postgres' }, live)
      const lines = execFileSync('sh', ['-c', see], { encoding: 'utf8' }).trimEnd().split('\n').toSorted()
      await server.query(live, 'set role application; select 1')
      return { oid: row!.oid, lines }
    },
    databases: async () => {
      const rows = await server.query<{ name: string }>(
        'postgres',
        `select case when datallowconn then datname else '(' || datname || ')' end as name from pg_database
         where not datistemplate and datname not in ('postgres', 'stepback') order by datname collate "C"`,
      )
      return rows.map(({ name }) => name)
    },
    session: async (user = 'postgres', database = live) => {
      const client = new pg.Client({ host: server.host, port: server.port, user, database })
      client.on('error', () => {})
      await client.connect()
      sessions.push(client)
      return client
    },
    endSessions: async () => {
      await Promise.all(sessions.splice(0).map((it) => it.end().catch(() => {})))
    },
    waits: async () => {
      const ours = `select from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'stepback:%'`
      return (await server.query('postgres', ours)).length > 0
    },
    manifest: (id) => parseManifest(readFileSync(join(backups, `manifest_${id}.json`), 'utf8')),
    stop: async () => {
      await close()
      await sshd.stop()
      await server.stop()
      for (const made of [root, bin]) await removeDirectory(made)
    },
  }
}

async function begin(activities: Activities, number: number): Promise<Run> {
  const origin = { workflowId: `deploy-shop-${number}`, runId: randomUUID() }
  const environment = (attempt: number) =>
    new MockActivityEnvironment({ attempt, workflowExecution: origin, workflowType: 'deployWorkflow' })
  const lease = { target: 'shop', kind: 'deploy' as const }
  const { token } = (await environment(1).run(activities.acquireLease, lease)) as { readonly token: number }
  // Each later than the one before, as runs are.
  const at = new Date(Date.parse('2026-11-23T14:00:00Z') + number * 1_000).toISOString()
  const safety = restorePointId({ at, version: '2.0.0' })
  const run: Run = {
    run8: runDigits(origin),
    safety,
    take: (tries = 1) =>
      run.act('takeRestorePoint', { version: '2.0.0', database: 'dump', head: null, paths: [] }, { tries }),
    act: async (name, args, { undoes, shown, tries = 1, attempt = 1 } = {}) => {
      const step = { step: 0, stepName: undoes ?? name, undo: undoes ? 1 : 0 }
      const input = {
        target: 'shop',
        token,
        origin,
        safety,
        ...step,
        attempt: tries,
        args,
        ...(shown ? { shown } : {}),
      }
      const activity = activities[name] as (it: typeof input) => Promise<ActResult>
      return (await environment(attempt).run(activity, input)) as ActResult
    },
  }
  return run
}

type Activities = ReturnType<typeof createActivities>

export async function until(seen: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await seen())) await sleep(20)
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Asks nothing of a daemon: what is run in the container is run beside it, and reaches the server by the loopback. */
function docker({ bin, port, data }: TestPostgres): string {
  const labels = { 'com.docker.compose.service': 'db' }
  const image = {
    Id: 'db-1',
    Image: 'sha256:db',
    Config: { Image: 'postgres', Labels: labels },
    State: { Running: true },
  }
  const model = { name: 'shop', services: { db: { image: 'postgres' } } }
  return `#!/bin/sh
case "$1 $*" in
ps*) echo db-1; exit ;;
inspect*) echo '${JSON.stringify([image])}'; exit ;;
compose*' config '*) echo '${JSON.stringify(model)}'; exit ;;
compose*) while [ "$1" != exec ]; do shift; done ;;
esac
shift
while :; do
  case "$1" in
  -e) export "$2"; shift 2 ;;
  -u) shift 2 ;;
  -*) shift ;;
  *) break ;;
  esac
done
shift
exec env PGHOST=127.0.0.1 PGPORT=${port} PGDATA='${data}' PATH='${bin}:/usr/bin:/bin' "$@"
`
}
