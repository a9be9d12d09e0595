// The built worker, told to stop before it can do anything.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
const taken = createServer()
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stepback-worker-'))
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
})
afterAll(() => {
  taken.close()
  rmSync(directory, { recursive: true, force: true })
})

const shop = {
  ssh: { host: '127.0.0.1' },
  directory: '/srv/shop',
  backups: '/srv/shop/backups',
  compose: { project: 'shop', files: ['docker-compose.yml'] },
  services: { application: ['api'] },
}

test.each([
  ['its port for metrics', () => ({ metrics: { port: (taken.address() as AddressInfo).port } })],
  ['Temporal', () => ({})],
])('a worker that waits for %s ends when it is told to stop', async (_what, more) => {
  const config = join(directory, 'stepback.yaml')
  writeFileSync(config, JSON.stringify({ temporal: { address: '127.0.0.1:1' }, ...more(), targets: { shop } }))
  const worker = spawn(process.execPath, [main, 'worker', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(worker, 'close')
  try {
    const [line] = (await once(worker.stderr, 'data')) as [Buffer]
    expect(line.toString()).toContain('worker starts')
    worker.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  } finally {
    worker.kill('SIGKILL')
  }
})
