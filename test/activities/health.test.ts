import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askChecks, checkVersion, readVersion, watchHealth } from '../../src/activities/health.js'
import type { ActContext } from '../../src/activities/context.js'
import { Host } from '../../src/adapters/host.js'
import { checkUrl, readField } from '../../src/adapters/http.js'
import type { Sshd } from '../support/sshd.js'
import { startSshd } from '../support/sshd.js'

let sshd: Sshd
const sick = createServer((_request, response) => response.writeHead(503).end('{}'))
beforeAll(async () => {
  sshd = await startSshd()
  await new Promise<void>((resolve) => sick.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  sick.close()
  await sshd.stop()
})

async function target() {
  const url = `http://127.0.0.1:${(sick.address() as AddressInfo).port}/`
  const ssh = await sshd.connect()
  const hosts = { ssh: async () => ssh }
  const deps = { http: { check: checkUrl, field: readField }, hosts } as unknown as Parameters<typeof readVersion>[0]
  const config = { health: { checks: [{ name: 'api', url, timeout: '2s' }] }, version: { url, field: 'version' } }
  return { ssh, deps, target: config as unknown as Parameters<typeof readVersion>[1], host: undefined as never }
}

test('an application that answers badly is unhealthy and has no version', async () => {
  const all = await target()
  expect(await askChecks(all)).toEqual([{ check: 'api', healthy: false, detail: 'status 503' }])
  expect(await readVersion(all.deps, all.target)).toBeNull()
})

test.each([
  [1, { check: 'api', healthy: true, detail: 'status 200' }],
  [2, { check: 'api', healthy: false, detail: expect.stringContaining('no answer') }],
])('an answer that is lost is asked for once more: %i lost', async (losses, report) => {
  let asked = 0
  const losing = createServer((request, response) => {
    asked += 1
    if (asked <= losses) request.destroy()
    else response.end('{}')
  })
  await new Promise<void>((resolve) => losing.listen(0, '127.0.0.1', resolve))
  const { target: config, ...all } = await target()
  const url = `http://127.0.0.1:${(losing.address() as AddressInfo).port}/`
  const checks = [{ ...config.health.checks[0]!, url }]
  expect(await askChecks({ ...all, target: { ...config, health: { ...config.health, checks } } })).toEqual([report])
  expect(asked).toBe(2)
  losing.close()
})

test('a connection that is cut says nothing about the application', async () => {
  const all = await target()
  all.ssh.destroy()
  await expect(askChecks(all)).rejects.toMatchObject({ type: 'Unreachable' })
  await expect(readVersion(all.deps, all.target)).rejects.toMatchObject({ type: 'Unreachable' })
})

test('what was lost with its connection is asked over the next one', async () => {
  const { ssh: cut, deps, ...all } = await target()
  cut.destroy()
  const next = await sshd.connect()
  let asked = 0
  const hosts = { ssh: async () => (asked++ === 0 ? cut : next) } as unknown as typeof deps.hosts
  expect(await askChecks({ ...all, deps: { ...deps, hosts } })).toEqual([
    { check: 'api', healthy: false, detail: 'status 503' },
  ])
  asked = 0
  expect(await readVersion({ ...deps, hosts }, all.target)).toBeNull()
})

test.each([
  ['the third answer is the one that counts', [null, '2.0.0', '2.1.0'], null],
  ['three other answers are what runs', [null, '2.0.0', '2.0.0'], 'version "2.0.0" answers, and "2.1.0" was expected'],
])('of a version %s', async (_what, answers, refusal) => {
  const { target: config, deps, ...all } = await target()
  const left = [...answers]
  const http = { ...deps.http, field: async () => left.shift()! }
  const quick = { ...config, health: { ...config.health, interval: '1ms' } }
  const context = { ...all, deps: { ...deps, http }, target: quick, signal: new AbortController().signal }
  const checking = checkVersion.run(context as unknown as ActContext, { version: '2.1.0' })
  if (refusal === null) expect(await checking).toBeNull()
  else await expect(checking).rejects.toMatchObject({ type: 'StepFailed', message: expect.stringContaining(refusal) })
  expect(left).toEqual([])
})

test.each([
  ['fails when its watch ends', '1ms'],
  ['was never asked within its watch', '0ms'],
])('a release that %s is watched on until it is decided', async (_what, window) => {
  const { target: config, ...all } = await target()
  const watch = { window, interval: '1ms', failures: 3 }
  const context = { ...all, target: { ...config, watch }, signal: new AbortController().signal }
  await expect(watchHealth.run(context as unknown as ActContext, null as never)).rejects.toMatchObject({
    type: 'StepFailed',
    message: expect.stringContaining('3 failing polls in a row'),
  })
})

test('a check by command finds its container once, and again where that is gone; what fails in it is asked once', async () => {
  const bin = mkdtempSync(join(tmpdir(), 'stepback-docker-'))
  const at = (name: string) => join(bin, name)
  const docker = [
    '#!/bin/sh',
    `echo "$1" >>'${at('calls')}'`,
    `[ "$1" != ps ] || exec cat '${at('running')}'`,
    `grep -qx "$2" '${at('running')}' || { echo "Error response from daemon: No such container: $2" >&2; exit 1; }`,
    `exit "$(cat '${at('answer')}')"`,
    '',
  ].join('\n')
  writeFileSync(at('docker'), docker, { mode: 0o755 })
  const server = await startSshd({ path: `${bin}:/usr/bin:/bin` })
  try {
    const ssh = await server.connect()
    const { deps } = await target()
    const checks = [{ name: 'db', service: 'db', command: ['pg_isready'], timeout: '2s' }]
    const shop = { compose: { project: 'shop' }, health: { checks } } as unknown as Parameters<typeof readVersion>[1]
    const host = new Host({ ssh: async () => ssh, stateDirectory: join(server.directory, 'state') })
    const asked = async (running: string, answer: number) => {
      writeFileSync(at('calls'), '')
      writeFileSync(at('running'), running)
      writeFileSync(at('answer'), String(answer))
      const hosts = { ssh: async () => ssh } as unknown as typeof deps.hosts
      const [report] = await askChecks({ deps: { ...deps, hosts }, target: shop, host })
      return [report!.detail, readFileSync(at('calls'), 'utf8').trim().split('\n').join(' ')]
    }
    expect(await asked('new\nfirst\n', 0)).toEqual(['exit status 0', 'ps exec'])
    expect(await asked('new\nfirst\n', 0)).toEqual(['exit status 0', 'exec'])
    expect(await asked('new\nfirst\n', 3)).toEqual(['exit status 3', 'exec'])
    expect(await asked('new\n', 0)).toEqual(['exit status 0', 'exec ps exec'])
    expect(await asked('', 0)).toEqual(['exit status 1', 'exec ps'])
  } finally {
    await server.stop()
    rmSync(bin, { recursive: true })
  }
})
