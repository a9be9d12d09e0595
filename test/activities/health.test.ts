import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askChecks, readVersion, watchHealth } from '../../src/activities/health.js'
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
  const deps = { http: { check: checkUrl, field: readField } } as unknown as Parameters<typeof readVersion>[0]
  const config = { health: { checks: [{ name: 'api', url, timeout: '2s' }] }, version: { url, field: 'version' } }
  return { ssh, deps, target: config as unknown as Parameters<typeof readVersion>[1], host: undefined as never }
}

test('an application that answers badly is unhealthy and has no version', async () => {
  const all = await target()
  expect(await askChecks(all)).toEqual([{ check: 'api', healthy: false, detail: 'status 503' }])
  expect(await readVersion(all.deps, all.target, all.ssh)).toBeNull()
})

test('a connection that is cut says nothing about the application', async () => {
  const all = await target()
  all.ssh.destroy()
  await expect(askChecks(all)).rejects.toMatchObject({ type: 'Unreachable' })
  await expect(readVersion(all.deps, all.target, all.ssh)).rejects.toMatchObject({ type: 'Unreachable' })
})

test('a release that fails when its watch ends is watched on until it is decided', async () => {
  const { target: config, ...all } = await target()
  const watch = { window: '1ms', interval: '1ms', failures: 3 }
  const context = { ...all, target: { ...config, watch }, signal: new AbortController().signal }
  await expect(watchHealth.run(context as unknown as ActContext, null as never)).rejects.toMatchObject({
    type: 'StepFailed',
    message: expect.stringContaining('3 failing polls in a row'),
  })
})
