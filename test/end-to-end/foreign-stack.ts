// A stack as somebody else would have it: an odd directory, two compose files, profiles, jobs, replicas, a database whose
// port is not published; and a tiny one without a database. Both run on the engine of a sandbox.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { Sandbox } from '../../sandbox/index.js'

export const composeFiles = ['a.yml', 'over, ride.yml']
export const password = `it's $5 "ü" # \\ no comment`

export interface ForeignStack {
  readonly directory: string
  readonly tiny: string
  /** Where the tiny one's backups lie: a small disk of their own. */
  readonly cramped: string
  readonly ghost: string
  readonly config: string
  /** Writes a release of some files, and returns its directory. */
  readonly release: (name: string, files: Readonly<Record<string, string>>) => string
}

export function layOut(
  sandbox: Sandbox,
  root: string,
  images: { readonly base: string; readonly database: string },
  id: string,
): ForeignStack {
  const directory = join(root, `it's a "stack" $HOME, ü`)
  const [tiny, cramped, ghost] = [join(root, 'tiny'), join(root, 'cramped'), join(root, 'ghost')]
  mkdirSync(cramped)
  write(directory, {
    ...shopFiles({ mark: 'first', version: '1.0.0' }),
    '.env': [
      '# not a plain file',
      `BASE='${images.base}'`,
      `export DATABASE_IMAGE="${images.database}"`,
      `DB_PASSWORD='${password.replaceAll("'", "\\'")}'`,
      `OWNER_PASSWORD='${ownerPassword.replaceAll("'", "\\'")}'`,
      'NOTE="two',
      'DB_PASSWORD=of a note"',
      '',
    ].join('\r\n'),
  })
  write(tiny, tinyFiles({ base: images.base, greeting: 'first' }))
  write(ghost, {
    'a.yml': stringify({ services: { app: { image: images.base, volumes: ['ghost:/g'] } }, volumes: { ghost: {} } }),
    '.env': '',
  })
  const config = join(root, 'foreign.yaml')
  writeFileSync(config, configuration(sandbox, id, { directory, tiny, cramped, ghost }))
  const release = (name: string, files: Readonly<Record<string, string>>) => {
    write(join(root, 'releases', name), files)
    return join(root, 'releases', name)
  }
  return { directory, tiny, cramped, ghost, config, release }
}

/** Names that a shell, SQL or a connection string would read as something else; no role with a quote, a dollar or "--" could own an extension. */
export const role = 'app; (id) | größe &'
export const databaseName = `the "shop's" $(id) = größe`

/** As a compose file says a dollar sign. */
function doubled(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** A file of the shop that a shell, a list or an option could read as something else. */
export const oddFile = `-rf "x" $(id)\n; it's größe`
/** Of a role that has migrations and application, and may neither make databases nor end sessions. */
export const owner = 'owner; (id) | größe'
export const ownerPassword = `owner's $6 "ä" \\ #`

/** As a release of another tool brings them: a CommonJS module with a list. */
function migrations(count: number): string {
  const one = (name: string, table: string, columns: string) =>
    `class ${name} { name = '${name}'; up(r) { return r.query('create table ${table} (${columns})') } ` +
    `down(r) { return r.query('drop table ${table}') } }`
  const all = [
    one('s001_sessions1700000000001', 'sessions', 'id serial primary key, title text'),
    one('s002_messages1700000000002', 'messages', 'id serial primary key, body text'),
    one('s003_notes1700000000003', 'notes', 'id serial primary key, body text'),
  ]
  return `exports.migrations = [${all.slice(0, count).join(', ')}]\n`
}

/** The shop's own files; `mark` is in the environment of its database. */
export function shopFiles(input: {
  readonly mark: string
  readonly version: string
  readonly healthy?: boolean
  readonly services?: object
  readonly without?: string
  readonly migrations?: number
  readonly databaseImage?: string
}): Record<string, string> {
  const { mark, version, healthy = true, services = {}, databaseImage = '${DATABASE_IMAGE}' } = input
  const isKept = ([name]: readonly [string, unknown]) => name !== input.without
  const sleeping = { image: '${BASE}', command: ['sleep', 'infinity'], stop_signal: 'SIGKILL' }
  return {
    'migrations.cjs': migrations(input.migrations ?? 2),
    [oddFile]: `${version}\n`,
    'db.env': "NOTE_OF_DB=a $$b 'c'\n",
    'a.yml': stringify({
      services: Object.fromEntries(
        Object.entries({
          db: {
            image: databaseImage,
            container_name: 'database-of-${COMPOSE_PROJECT_NAME}',
            env_file: ['db.env'],
            environment: {
              POSTGRES_USER: doubled(role),
              POSTGRES_PASSWORD: '${DB_PASSWORD}',
              POSTGRES_DB: doubled(databaseName),
              MARK: mark,
            },
            volumes: ['data:/var/lib/postgresql/data'],
            healthcheck: { test: ['CMD', 'pg_isready', '-h', '127.0.0.1'], interval: '1s', retries: 30 },
          },
          init: {
            image: '${BASE}',
            command: ['sh', '-c', 'date >>/made/log; sleep 1'],
            volumes: ['./made:/made'],
            depends_on: { db: { condition: 'service_healthy' } },
          },
          api: {
            build: { context: './api', args: { BASE: '${BASE}' } },
            image: '${COMPOSE_PROJECT_NAME}/api:1',
            depends_on: {
              init: { condition: 'service_completed_successfully' },
              db: { condition: 'service_healthy', restart: true },
              debugger: { condition: 'service_started', required: false },
            },
          },
          web: { ...sleeping, scale: 2, depends_on: ['api'] },
          extra: { ...sleeping, profiles: ['extra'] },
          debugger: { ...sleeping, profiles: ['debug'] },
          ...services,
        }).filter(isKept),
      ),
      volumes: { data: {} },
    }),
    'over, ride.yml': stringify({ services: { web: { environment: { VERSION: version } } } }),
    'api/Dockerfile': 'ARG BASE\nFROM ${BASE}\nCOPY marks /marks\nSTOPSIGNAL SIGKILL\nCMD ["sleep", "infinity"]\n',
    'api/marks/version': `${version}\n`,
    'api/marks/healthy': healthy ? 'yes\n' : 'no\n',
  }
}

export function tinyFiles(input: { readonly base: string; readonly greeting: string }): Record<string, string> {
  const app = { image: '${BASE}', command: ['sleep', 'infinity'], stop_signal: 'SIGKILL' }
  return {
    'compose.yml': stringify({ services: { app: { ...app, environment: { GREETING: input.greeting } } } }),
    '.env': `BASE=${input.base}\n`,
  }
}

function configuration(
  sandbox: Sandbox,
  id: string,
  at: { readonly directory: string; readonly tiny: string; readonly cramped: string; readonly ghost: string },
): string {
  const { host, port, user, identityFile } = sandbox.ssh
  const knownHosts = [join(dirname(identityFile), 'known_hosts')]
  const target = (directory: string, project: string, files: readonly string[], application: readonly string[]) => ({
    ssh: { host, port, user, identityFile, knownHosts },
    directory,
    backups: join(directory, 'backups'),
    compose: { project: `${id}-${project}`, files, profiles: project === 'shop' ? ['extra'] : [] },
    services: { application, stopGrace: '1s' },
    watch: { window: '1s', interval: '1s', failures: 1 },
  })
  const health = (service: string, ...command: string[]) => ({
    health: { checks: [{ name: service, service, command }], timeout: '5s', interval: '500ms', successes: 1 },
  })
  const database = {
    service: 'db',
    name: databaseName,
    user: { env: 'FOREIGN_DB_OWNER' },
    password: { envFile: 'OWNER_PASSWORD' },
    admin: { user: { env: 'FOREIGN_DB_USER' }, password: { envFile: 'DB_PASSWORD' } },
    migrations: { release: 'migrations.cjs' },
  }
  return stringify({
    temporal: { address: sandbox.temporal.address, namespace: 'default', taskQueue: 'foreign' },
    targets: {
      shop: {
        ...target(at.directory, 'shop', composeFiles, ['api', 'web']),
        ...health('api', 'grep', '-q', 'yes', '/marks/healthy'),
        database,
        secrets: ['DB_PASSWORD', 'OWNER_PASSWORD'],
        checks: [{ name: 'whole', command: ['test', '-s', 'a.yml'] }],
        hooks: [{ name: 'note', when: 'after-healthy', command: ['sh', '-c', 'echo "$STEPBACK_VERSION" >>noted'] }],
      },
      tiny: {
        ...target(at.tiny, 'tiny', ['compose.yml'], ['app']),
        ...health('app', 'true'),
        backups: at.cramped,
        disk: { freeBytes: 1_000_000 },
        managed: ['large'],
      },
      ghost: target(at.ghost, 'ghost', ['a.yml'], ['app']),
    },
  })
}

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
}
