// Stacks as people have them, on the engine, the SSH server and the Temporal server of a sandbox.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeArgv } from '../../src/commands/compose.js'
import { parseEnvFile } from '../../src/config/env-file.js'
import { loadConfig } from '../../src/config/load.js'
import { baseImage } from '../../sandbox/install/image.js'
import { down, openSession, sandboxPaths, up } from '../../sandbox/index.js'
import { envFile, values } from '../support/env-file.js'
import {
  type ForeignStack,
  composeFiles,
  databaseName,
  layOut,
  oddFile,
  owner,
  ownerPassword,
  password,
  role,
  shopFiles,
  tinyFiles,
} from './foreign-stack.js'
import { Operator } from './operator.js'
import { seldomProbed } from './quick-sandbox.js'
import { containedWorker } from './worker-image.js'

describe.skipIf(!process.env['STEPBACK_END_TO_END'])('stacks as people have them', { timeout: 300_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-stacks-'))
  const id = sandboxPaths(root).project.replace('aria-sandbox', 'foreign')
  let operator: Operator
  let stack: ForeignStack
  let env: NodeJS.ProcessEnv
  let worker: ChildProcess | undefined
  let databaseImage = ''
  let beforeThird: string | null = null

  beforeAll(async () => {
    const sandbox = await up({ root, ...seldomProbed })
    operator = new Operator(sandbox)
    env = { ...(await openSession(root))!.env, FOREIGN_DB_USER: role, FOREIGN_DB_OWNER: owner }
    databaseImage = docker('ps', '--filter', 'label=com.docker.compose.service=aria-db', '--format', '{{.Image}}')
    stack = layOut(sandbox, root, { base: baseImage, database: databaseImage }, id)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', stack.cramped])
    const [program, ...words] = sandbox.processes.worker!.command
    worker = spawn(program!, [...words.slice(0, -1), stack.config], { env, stdio: 'ignore' })
    shop('up', '--detach', '--build')
    const [name, user] = [databaseName, owner].map((it) => `"${it.replaceAll('"', '""')}"`)
    database().query(`create role ${user} login password '${ownerPassword.replaceAll("'", "''")}'`)
    database().query(`alter database ${name} owner to ${user}`)
    compose('tiny', ['compose.yml'], stack.tiny, 'up', '--detach')
  }, 300_000)

  afterAll(async () => {
    worker?.kill('SIGTERM')
    if (stack) execFileSync('umount', ['--lazy', stack.cramped])
    for (const project of ['shop', 'tiny', 'gone'].map((name) => `${id}-${name}`)) {
      const filter = ['--quiet', '--filter', `label=com.docker.compose.project=${project}`]
      for (const [list, remove] of [
        [
          ['ps', '--all'],
          ['rm', '--force', '--volumes'],
        ],
        [
          ['volume', 'ls'],
          ['volume', 'rm'],
        ],
        [
          ['network', 'ls'],
          ['network', 'rm'],
        ],
        [
          ['images', '--all'],
          ['rmi', '--force'],
        ],
      ]) {
        const found = docker(...list!, ...filter)
          .split('\n')
          .filter((it) => it !== '')
        if (found.length > 0) docker(...remove!, ...new Set(found))
      }
    }
    await down({ root })
  }, 120_000)

  const docker = (...words: string[]) => execFileSync('docker', words, { env, encoding: 'utf8', stdio: 'pipe' }).trim()
  const compose = (name: string, files: readonly string[], directory: string, ...words: string[]) => {
    const profiles = name === 'shop' ? ['extra'] : []
    const identity = { project: `${id}-${name}`, directory, files, envFile: '.env', profiles }
    return docker(...composeArgv(identity, ...words).slice(1))
  }
  const shop = (...words: string[]) => compose('shop', composeFiles, stack.directory, ...words)
  const services = () =>
    docker(
      'ps',
      '--filter',
      `label=com.docker.compose.project=${id}-shop`,
      '--format',
      '{{.Label "com.docker.compose.service"}}',
    )
      .split('\n')
      .toSorted()
  /** Containers of a service, running or not. */
  const made = (service: string) => {
    const labels = [`com.docker.compose.project=${id}-shop`, `com.docker.compose.service=${service}`]
    return docker('ps', '--all', '--quiet', ...labels.flatMap((it) => ['--filter', `label=${it}`]))
  }
  const database = () => {
    const name = `database-of-${id}-shop`
    const query = (sql: string, user = role) =>
      docker('exec', '-e', `PGDATABASE=${databaseName}`, name, 'psql', '-U', user, '-Atc', sql)
    const mark = docker('inspect', '--format', '{{range .Config.Env}}{{println .}}{{end}}', name)
    return { container: docker('inspect', '--format', '{{.Id}}', name), query, mark: /^MARK=(.*)$/m.exec(mark)?.[1] }
  }
  const run = async (type: 'deployWorkflow' | 'rollbackWorkflow', name: string, input: object) => {
    await operator.start(type, name, input, 'foreign')
    return await operator.end(name)
  }
  const names = (result: { readonly steps: readonly { readonly name: string }[] }) => result.steps.map((it) => it.name)

  test('reads an environment file as the Compose that is here does', () => {
    const keys = Object.keys(values).filter((key) => /^[A-Za-z_]/.test(key))
    const environment = Object.fromEntries(keys.map((key) => [key, `\${${key}-not set}`]))
    const directory = mkdtempSync(join(root, 'echo-'))
    writeFileSync(join(directory, 'c.yml'), JSON.stringify({ services: { echo: { image: 'echo', environment } } }))
    for (const text of [envFile, `\uFEFF${envFile.replaceAll('\n', '\r\n')}`]) {
      writeFileSync(join(directory, '.env'), text)
      const { services: read } = JSON.parse(compose('echo', ['c.yml'], directory, 'config', '--format', 'json')) as {
        readonly services: { readonly echo: { readonly environment: Record<string, string> } }
      }
      const own = parseEnvFile(text)
      for (const key of keys) expect(own.get(key)).toBe(read.echo.environment[key]!.replaceAll('$$', '$'))
    }
  })

  test('takes docker-compose.temporal.yml for a stack, whole and with its one-shots in order', () => {
    const file = fileURLToPath(new URL('../../docker-compose.temporal.yml', import.meta.url))
    const { services: read } = JSON.parse(docker('compose', '--file', file, 'config', '--format', 'json')) as {
      readonly services: Record<string, { readonly depends_on?: Record<string, { readonly condition: string }> }>
    }
    const needs = Object.entries(read).flatMap(([name, it]) =>
      Object.entries(it.depends_on ?? {}).map(([on, { condition }]) => [name, on, condition].join(' ')),
    )
    expect(needs).toEqual(
      expect.arrayContaining([
        'temporal-schema temporal-db service_healthy',
        'temporal temporal-schema service_completed_successfully',
        'stepback-worker temporal-namespace service_completed_successfully',
      ]),
    )
  })

  const drafted = {
    path: join(root, 'drafted.yaml'),
    target: `${id}-shop`,
    variables: { [`${id}-shop_DB_USER`.toUpperCase().replaceAll('-', '_')]: role },
  }

  test('drafts a configuration of one of several projects, with which doctor finds nothing wrong', async () => {
    const { ssh, temporal, processes } = operator.sandbox
    const { path, target } = drafted
    const stepback = async (...words: string[]) => {
      const [program, main] = processes.worker!.command
      const variables = { ...env, TEMPORAL_ADDRESS: temporal.address, ...drafted.variables }
      return await promisify(execFile)(program!, [main!, ...words, '--config', path], { env: variables })
    }
    const knownHosts = join(dirname(ssh.identityFile), 'known_hosts')
    const files = ['--identity-file', ssh.identityFile, '--known-hosts', knownHosts]
    const init = ['init', `${ssh.user}@${ssh.host}`, '--port', String(ssh.port), ...files]
    await expect(stepback(...init)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(`${id}-tiny`) })
    await stepback(...init, '--project', target)
    expect(loadConfig(path).targets[target]).toMatchObject({
      directory: stack.directory,
      compose: { project: target, files: composeFiles, envFile: '.env', profiles: ['extra'] },
      services: { application: ['api', 'web'] },
      database: { service: 'db', name: databaseName, password: { envFile: 'DB_PASSWORD' }, migrations: 'none' },
    })
    expect(readFileSync(path, 'utf8')).not.toContain(password.slice(0, 9))
    const { stdout } = await stepback('doctor', target)
    expect(stdout).not.toMatch(/^ *bad/m)
    expect(stdout).toMatch(/ok +health +db/)
  })

  test('refuses before the first change: the volume of another project, a missing image, another server', async () => {
    const labels = [`com.docker.compose.project=${id}-gone`, 'com.docker.compose.volume=ghost']
    docker('volume', 'create', ...labels.flatMap((it) => ['--label', it]), `${id}-gone_ghost`)
    docker('build', '--quiet', '--label', labels[0]!, '--tag', `${id}-other-server`, other())
    const asked = (name: string, changes: object) => ({
      target: 'shop',
      version: '9.9.9',
      migrateTo: 'none',
      dryRun: true,
      release: stack.release(name, shopFiles({ mark: 'first', version: '9', ...changes })),
    })
    const [ghost, image, server] = await Promise.all([
      run('deployWorkflow', 'deploy-ghost', { target: 'ghost', version: '1', dryRun: true }),
      run('deployWorkflow', 'deploy-image', asked('image', { services: { cache: { image: 'cache.test/cache:1' } } })),
      run('deployWorkflow', 'deploy-server', asked('server', { databaseImage: `${id}-other-server` })),
    ])
    expect([ghost.outcome, image.outcome, server.outcome]).toEqual(['Refused', 'Refused', 'Refused'])
    expect(ghost.message).toContain(`volume "${id}-gone_ghost" belongs to project "${id}-gone"`)
    expect(image.message).toContain('docker pull cache.test/cache:1')
    expect(server.message).toContain('runs PostgreSQL 17')
    expect(server.message).toContain('holds 99')
  })

  /** A build that says to hold another major version. */
  const other = () => {
    const directory = mkdtempSync(join(root, 'other-'))
    writeFileSync(join(directory, 'Dockerfile'), `FROM ${databaseImage}\nENV PG_MAJOR=99\n`)
    return directory
  }

  test('takes over a database that Alembic migrated, which a deploy refuses until then', async () => {
    database().query('create table sessions (id serial primary key, title text)', owner)
    database().query('create table alembic_version (version_num varchar(32) primary key)', owner)
    database().query(`insert into alembic_version values ('s001_sessions')`, owner)
    const release = stack.release('1.1.0', shopFiles({ mark: 'first', version: '1.1.0' }))
    const input = { target: 'shop', version: '1.1.0', release, dryRun: true }
    const refused = await run('deployWorkflow', 'deploy-unrecorded', input)
    expect([refused.outcome, refused.message]).toEqual([
      'Refused',
      expect.stringContaining('hint: take it over: stepback migrations shop --baseline'),
    ])
    expect(refused.message).toContain(`--release ${release}`)
    const [program, main] = operator.sandbox.processes.worker!.command
    const words = [main!, 'migrations', 'shop', '--baseline', '--release', release, '--config', stack.config]
    const { stdout, stderr } = await promisify(execFile)(program!, words, { env })
    expect(stdout + stderr).toContain('recorded as applied: 1 migrations up to s001_sessions')
  })

  test('deploys a stack of several files, with a job, replicas, profiles and a database whose port is not published', async () => {
    const before = database()
    const release = stack.release('1.1.0', shopFiles({ mark: 'first', version: '1.1.0' }))
    const input = { target: 'shop', version: '1.1.0', release }
    const { outcome, message, result } = await run('deployWorkflow', 'deploy-first', input)
    expect([outcome, message]).toEqual(['done', ''])
    expect(names(result).slice(0, 7).join(' ')).toBe(
      'takeRestorePoint proveRestorePoint keepMigrations keepImages putFiles buildImages migrateUp',
    )
    expect(names(result)).not.toContain('recreateDatabase')
    expect(database().container).toBe(before.container)
    expect(services()).toEqual(['api', 'db', 'extra', 'web', 'web'])
    expect(result.steps.find((it) => it.name === 'startServices')?.detail).toBe('3 of 3 running')
    expect(readFileSync(join(stack.directory, 'made/log'), 'utf8').trim().split('\n')).toHaveLength(2)
    database().query(`insert into sessions (title) values ('kept: größe $1')`)
  })

  const rows = () => database().query('select title from sessions')

  test('undoes a deploy that fails behind the recreation of its database, and brings the old container back', async () => {
    const files = { mark: 'second', version: '1.2.0', healthy: false, migrations: 3, without: 'extra' }
    const release = stack.release('1.2.0', shopFiles(files))
    const input = { target: 'shop', version: '1.2.0', release }
    const before = database()
    const { outcome, result } = await run('deployWorkflow', 'deploy-failing', input)
    expect(outcome).toBe('Undone')
    expect(names(result).join(' ')).toContain('buildImages recreateDatabase migrateUp')
    expect(result.steps.find((it) => it.name === 'proveRestorePoint')?.detail).toContain('s003_notes is reversible')
    expect(result.steps.find((it) => it.name === 'recreateDatabase')?.state).toBe('done')
    expect(database().container).not.toBe(before.container)
    expect(database().mark).toBe('first')
    expect(rows()).toBe('kept: größe $1')
    expect(services()).toEqual(['api', 'db', 'extra', 'web', 'web'])
  })

  test('rolls every file and the database container back, and keeps the rows and the secret', async () => {
    const mailer = { image: '${BASE}', command: ['sleep', 'infinity'], stop_signal: 'SIGKILL' }
    const files = { mark: 'third', version: '1.3.0', without: 'extra', services: { mailer } }
    const release = stack.release('1.3.0', shopFiles(files))
    const input = { target: 'shop', version: '1.3.0', release }
    const deployed = await run('deployWorkflow', 'deploy-again', input)
    expect([deployed.outcome, deployed.message]).toEqual(['done', ''])
    expect(services()).toEqual(['api', 'db', 'mailer', 'web', 'web'])
    expect(made('extra')).toBe('')
    beforeThird = deployed.result.restorePoint
    expect(database().mark).toBe('third')
    const { outcome, message, result } = await run('rollbackWorkflow', 'rollback-shop', { target: 'shop' })
    expect([outcome, message]).toEqual(['done', ''])
    expect(names(result).join(' ')).toContain('stopServices restoreImages restoreFiles recreateDatabase')
    expect(database().mark).toBe('first')
    expect(rows()).toBe('kept: größe $1')
    expect(readFileSync(join(stack.directory, 'over, ride.yml'), 'utf8')).toContain('1.1.0')
    expect(shop('exec', '-T', 'api', 'cat', '/marks/version')).toBe('1.1.0')
    expect(services()).toEqual(['api', 'db', 'extra', 'web', 'web'])
    expect(made('mailer')).toBe('')
    expect(readFileSync(join(stack.directory, oddFile), 'utf8')).toBe('1.1.0\n')
    // By releases that became healthy, and never by an undo or a rollback.
    expect(readFileSync(join(stack.directory, 'noted'), 'utf8')).toBe('1.1.0\n1.3.0\n')
    const live = parseEnvFile(readFileSync(join(stack.directory, '.env'), 'utf8'))
    expect(live.get('DB_PASSWORD')).toBe(password)
  })

  test('builds a database beside the live one and swaps it in, whatever the role and the database are called', async () => {
    const input = { target: 'shop', scope: 'database', strategy: 'restore', approval: 'policy', to: beforeThird }
    const { outcome, message, result } = await run('rollbackWorkflow', 'rollback-names', input)
    expect([outcome, message]).toEqual(['done', ''])
    expect(names(result).join(' ')).toContain('keepImages restoreDatabase stopServices swapDatabase')
    expect(rows()).toBe('kept: größe $1')
    // What an administrator built is still the migrations' own.
    expect(database().query('select tableowner from pg_tables where tablename = $$sessions$$')).toBe(owner)
    expect(database().query('delete from sessions where false returning 1', owner)).toBe('DELETE 0')
  })

  test('deploys and rolls back a stack without a database', async () => {
    const release = stack.release('tiny-2', tinyFiles({ base: baseImage, greeting: 'second' }))
    const greeting = () => compose('tiny', ['compose.yml'], stack.tiny, 'exec', '-T', 'app', 'printenv', 'GREETING')
    const deployed = await run('deployWorkflow', 'deploy-tiny', { target: 'tiny', version: '2', release })
    expect([deployed.outcome, deployed.message]).toEqual(['done', ''])
    expect(greeting()).toBe('second')
    const rolled = await run('rollbackWorkflow', 'rollback-tiny', { target: 'tiny' })
    expect([rolled.outcome, rolled.message]).toEqual(['done', ''])
    expect(names(rolled.result)).toEqual(
      ['takeRestorePoint', 'keepImages', 'stopServices', 'restoreImages', 'restoreFiles', 'startServices'].concat([
        'checkHealth',
      ]),
    )
    expect(greeting()).toBe('first')
    expect(readdirSync(stack.cramped).some((name) => name.startsWith('db_'))).toBe(false)
  })

  test('undoes a deploy whose restore point does not fit on the disk, and leaves room for the next one', async () => {
    const large = join(stack.tiny, 'large')
    writeFileSync(large, randomBytes(6_000_000))
    const files = { ...tinyFiles({ base: baseImage, greeting: 'third' }), large: 'small' }
    const input = { target: 'tiny', version: '3', release: stack.release('tiny-3', files) }
    const full = await run('deployWorkflow', 'deploy-full', input)
    expect(full.outcome).toBe('Undone')
    expect(full.message).toContain('the disk is full')
    expect(readdirSync(stack.cramped).filter((name) => name.endsWith('.part'))).toEqual([])
    writeFileSync(large, 'was large')
    const next = await run('deployWorkflow', 'deploy-fits', { ...input, version: '4' })
    expect([next.outcome, next.message]).toEqual(['done', ''])
  })

  // An image of some hundred megabytes, and Docker looks only every half minute whether its container is healthy.
  const builds = { timeout: 600_000 }
  test(
    'takes a first restore point with the drafted configuration by the worker of docker-compose.temporal.yml, not as root',
    builds,
    async () => {
      const { sandbox } = operator
      const { path: config, target, variables } = drafted
      const project = `${id}-worker`
      const { cli, address } = sandbox.temporal
      execFileSync(cli, ['operator', 'namespace', 'create', '--namespace', project, '--address', address])
      const own = mkdtempSync(join(root, 'worker-'))
      const contained = containedWorker({ sandbox, root: own, env, project, namespace: project, config, variables })
      try {
        await contained.start()
        expect(await contained.stepback('doctor', target)).not.toMatch(/^ *bad/m)
        await contained.stepback('restore-points', target, 'take')
        const points = JSON.parse(await contained.stepback('restore-points', target, '--json'))
        expect(points).toMatchObject([{ state: 'warm' }])
        expect((await contained.inside('id', '-u')).trim()).not.toBe('0')
        await expect(contained.inside('touch', '/opt/stepback/mine')).rejects.toThrow('Read-only file system')
      } finally {
        await contained.remove()
      }
    },
  )
})
