import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askChecks, checkVersion, readVersion, watchHealth } from '../../src/activities/health.js'
import type { ActContext } from '../../src/activities/context.js'
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
