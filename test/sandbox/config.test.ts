import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load.js'
import { renderConfig } from '../../sandbox/config.js'
import { sandboxPaths } from '../../sandbox/paths.js'

const ports = {
  temporal: 20001,
  ui: 20002,
  ssh: 20003,
  db: 20004,
  api: 20005,
  brain: 20006,
  web: 20007,
  prometheus: 20008,
  grafana: 20009,
  metrics: 20010,
}

test("the sandbox's configuration is valid, and names its own ports and project", () => {
  const paths = sandboxPaths('/tmp/a "b" c/.sandbox')
  const { targets, temporal, metrics } = parseConfig(renderConfig(paths, ports), 'stepback.yaml')
  expect(temporal.address).toBe('127.0.0.1:20001')
  expect(metrics).toMatchObject({ port: 20010, address: '127.0.0.1' })
  expect(targets['aria']).toMatchObject({
    directory: '/tmp/a "b" c/.sandbox/host/aria',
    ssh: { port: 20003, knownHosts: ['/tmp/a "b" c/.sandbox/ssh/known_hosts'] },
    compose: { project: 'aria-sandbox' },
    database: { port: 20004 },
    undo: { mayLoseRows: 1000 },
  })
})

test('two sandboxes share neither a directory for their sockets nor, beyond the usual place, a project', () => {
  expect(sandboxPaths('/tmp/one').project).not.toBe(sandboxPaths('/tmp/two').project)
  expect(sandboxPaths('/tmp/one').run).not.toBe(sandboxPaths('/tmp/two').run)
})
