// A sandbox of its own, beside whichever one is up: brought up, misbehaving, brought back, and taken down.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Sandbox,
  breakIt,
  down,
  mend,
  openSession,
  readSandbox,
  sandboxPaths,
  status,
  up,
} from '../../sandbox/index.js'
import { type Example, removeExample, startExamples } from '../end-to-end/examples.js'
import { Operator } from '../end-to-end/operator.js'
import { Host } from '../../src/adapters/host.js'
import { startLogin } from '../support/login.js'
import { isRunning, startIdentity } from '../../sandbox/processes.js'

// set by `npm test`: a quick run of the other tests should not start a whole stack
describe.skipIf(!process.env['STEPBACK_END_TO_END'])('a sandbox', { timeout: 600_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'stepback-'))
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await up({ root })
  }, 300_000)

  afterAll(async () => {
    await down({ root })
  }, 120_000)

  const get = async (path: string) => {
    const answer = await fetch(`${sandbox.api}${path}`, { signal: AbortSignal.timeout(5_000) })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }

  test('runs the first release, on the database of its revision', async () => {
    expect((await status({ root })).up).toBe(true)
    expect((await get('/api/status')).body).toMatchObject({ version: '2.0.0', revision: 'a006_pheromone_scores' })
    expect(readSandbox(root)).toEqual(sandbox)
  })

  test('takes writes as the application makes them', async () => {
    const before = (await get('/api/messages/count')).body['count'] as number
    const body = JSON.stringify({ content: 'größe', count: 3 })
    await fetch(`${sandbox.api}/api/messages`, { method: 'POST', body })
    expect((await get('/api/messages/count')).body).toEqual({ count: before + 3 })
  })

  test('has an engine that answers whoever is in the group of its socket, root or not', async () => {
    const socket = sandbox.processes['dockerd'] ? join(sandboxPaths(root).run, 'docker.sock') : '/var/run/docker.sock'
    const login = await startLogin({ shell: '/bin/sh', group: statSync(socket).gid })
    try {
      const connection = await login.connect()
      const stateDirectory = join(login.home, 'a directory/.stepback/aria')
      const host = new Host({ ssh: async () => connection, stateDirectory })
      const script = `id -u; DOCKER_HOST=unix://${socket} docker ps --quiet --filter name=${sandboxPaths(root).project}-aria-db | grep -c .`
      expect(await host.look({ script })).toEqual({ exitCode: 0, stdout: `${login.uid}\n1\n`, stderr: '' })
    } finally {
      await login.stop()
    }
  })

  test('has sessions that run no start-up file of whoever works on the machine', async () => {
    const { env } = (await openSession(root))!
    const said = await new Operator(sandbox).onHost('printf "%s in a shell within %s" "$PATH" "$SHLVL"')
    expect(said).toMatch(/[23]$/)
    expect(said.split(' in ')[0]).toBe(env['PATH'])
  })

  test('misbehaves when told to, and mends', async () => {
    await breakIt({ root, kind: 'unhealthy' })
    expect((await get('/api/health')).status).toBe(503)
    await mend({ root })
    expect((await get('/api/health')).body).toMatchObject({ status: 'ok' })
  })

  test('brings back a process that was killed, and leaves the others alone', async () => {
    const { sshd, temporal } = sandbox.processes
    const identity = (await startIdentity(temporal!.pid))!
    process.kill(sshd!.pid, 'SIGKILL')
    const again = await up({ root })
    expect(again.processes.sshd!.pid).not.toBe(sshd!.pid)
    expect(again.processes.temporal!.pid).toBe(temporal!.pid)
    expect(await isRunning({ pid: temporal!.pid, started: identity })).toBe(true)
  })

  test('is the host of the examples: each is deployed, and rolled back with its data', async () => {
    const operator = new Operator(sandbox)
    const { env } = (await openSession(root))!
    const { config, notes, tasks } = await startExamples(sandbox, root, env)
    const [program, ...words] = sandbox.processes.worker!.command
    const worker = spawn(program!, [...words.slice(0, -1), config], { env, stdio: 'ignore' })
    const ended = async (kind: 'deploy' | 'rollback', name: string, input: object) => {
      await operator.start(`${kind}Workflow`, name, input, 'examples')
      const { outcome, message, result } = await operator.end(name)
      expect({ outcome, message }).toEqual({ outcome: 'done', message: '' })
      return result
    }
    const deploy = (it: Example, version: string, more?: Readonly<Record<string, string>>) =>
      ended('deploy', `deploy-${it.target}-${version}`, {
        target: it.target,
        version,
        release: it.release(version, more),
      })
    const notesNow = async () => (await (await fetch(`${notes.web}/notes`)).json()) as string[]

    try {
      await fetch(`${notes.web}/notes`, { method: 'POST', body: 'größe' })
      const app = readFileSync(join(notes.directory, 'app.py'), 'utf8')
      const brought = `sql("alter table notes add column if not exists at timestamptz")\n`
      await deploy(notes, '1.1.0', {
        'app.py': app.replace('ThreadingHTTPServer((', `${brought}ThreadingHTTPServer((`),
      })
      const back = await ended('rollback', 'rollback-notes', { target: 'notes' })
      // the schema is another one than that of the restore point, and nobody but the application could revert it
      expect(back.plan?.strategy).toBe('swap')
      expect(await notesNow()).toEqual(['größe'])
      expect(await (await fetch(`${notes.web}/version`)).json()).toEqual({ version: '1.0.0' })

      await deploy(tasks, '1.0.0')
      const priority = `export class P1760000000003 {
        name = 'priority1760000000003'
        up(runner) { return runner.query('alter table tasks add column priority int') }
        down(runner) { return runner.query('alter table tasks drop column priority') }
      }\n`
      await deploy(tasks, '1.1.0', { 'migrations/3-priority.mjs': priority })
      const down = await ended('rollback', 'rollback-tasks', { target: 'tasks' })
      expect(down.plan?.strategy).toBe('migrate')
      expect(existsSync(join(tasks.directory, 'migrations/3-priority.mjs'))).toBe(false)
    } finally {
      worker.kill('SIGTERM')
      for (const example of [notes, tasks]) await removeExample(example, env)
    }
  })

  test('leaves nothing behind', async () => {
    const pids = Object.values(readSandbox(root)!.processes).map(({ pid }) => pid)
    await down({ root })
    expect(await Promise.all(pids.map(startIdentity))).toEqual(pids.map(() => undefined))
    expect(existsSync(root)).toBe(false)
    expect(existsSync(sandboxPaths(root).run)).toBe(false)
  })
})
