import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { reachOf } from '../../src/cli/init/host.js'
import { runCommandLine } from '../../src/cli/program.js'
import { silentIo } from './support.js'

const directory = mkdtempSync(join(tmpdir(), 'stepback-init-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('a host is given as to ssh', () => {
  expect(reachOf('deploy@shop.example', {})).toEqual({ host: 'shop.example', user: 'deploy' })
  expect(reachOf('shop', { port: 2222, identityFile: '/k' })).toEqual({ host: 'shop', port: 2222, identityFile: '/k' })
  expect(reachOf('fe80::1', { knownHosts: '/h' })).toEqual({ host: 'fe80::1', knownHosts: ['/h'] })
})

test.each(['', '-oProxyCommand=x', 'a b', 'a@b@c', 'user@-x'])('%j is no host', (host) => {
  expect(() => reachOf(host, {})).toThrow('is no host')
})

test('a configuration that is there is never written over', async () => {
  const path = join(directory, 'stepback.yaml')
  writeFileSync(path, '# mine\n')
  const io = silentIo()
  expect(await runCommandLine(['init', 'shop.example', '--config', path], io)).toBe(3)
  expect(io.said.join('\n')).toContain('is there already')
  expect(readFileSync(path, 'utf8')).toBe('# mine\n')
})
