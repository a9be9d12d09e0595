import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkActivities } from '../../src/activities/checks.js'
import type { Deps } from '../../src/activities/deps.js'
import { findProgram, runProgram } from '../../src/adapters/programs.js'
import { readRelease } from '../../src/adapters/release.js'
import { findTarget, parseConfig } from '../../src/config/load.js'

let directory: string
let release: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stepback-check-'))
  vi.stubEnv('TMPDIR', directory)
  release = mkdtempSync(join(directory, 'release-'))
  writeFileSync(join(release, 'app.py'), 'x = 1')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

const check = (script: string, more = '') => `{ name: unit, command: [sh, -c, ${JSON.stringify(script)}]${more} }`

async function run(checks: string, environment = new MockActivityEnvironment()): Promise<void> {
  const text = `
notifications: { webhook: { url: { env: HOOK_URL } } }
targets:
  shop:
    ssh: { host: shop.test, user: deploy }
    directory: /srv/shop
    backups: /srv/shop/backups
    compose: { project: shop, files: [docker-compose.yml] }
    services: { application: [api] }
    database:
      { service: db, name: shop, user: { env: SHOP_USER }, password: { env: SHOP_PASSWORD }, admin: { user: { env: SHOP_ADMIN }, password: { env: SHOP_ADMIN_PASSWORD } } }
    checks: [${checks}]
`
  const config = parseConfig(text, 'x.yaml')
  const deps = { config, programs: { run: runProgram, find: findProgram }, readRelease } as unknown as Deps
  const { sha256 } = await readRelease({ directory: release, limits: findTarget(config, 'shop').release })
  const input = { target: 'shop', names: ['unit'], version: '2.1.0', release: { directory: release, sha256 } }
  await environment.run(checkActivities(deps).runChecks, input)
}

const logs = () => readdirSync(directory).filter((name) => name.startsWith('stepback-checks-'))

describe('a check', () => {
  test('runs in the directory of the release, and leaves nothing where it is well', async () => {
    await run(
      check('test -f app.py && test "$STEPBACK_TARGET $STEPBACK_VERSION $A" = "shop 2.1.0 b"', ', env: { A: b }'),
    )
    expect(logs()).toEqual([])
  })

  test('that fails refuses, and keeps what it printed out of the message, in a file of its own', async () => {
    const error = await run(check('echo hunter2; echo again >&2; exit 3')).catch((cause: Error) => cause)
    expect(error).toMatchObject({ type: 'Refused', nonRetryable: true })
    const { message } = error as Error
    expect(message).toMatch(/^check "unit" failed with exit status 3; nothing was changed. .* 2 lines, sha256 /)
    expect(message).not.toContain('hunter2')
    const [, file = ''] = /beside the worker: (\S+),/.exec(message)!
    expect(readFileSync(file, 'utf8')).toBe('hunter2\nagain\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('does not see the secrets that the configuration refers to, nor those of Temporal', async () => {
    vi.stubEnv('SHOP_PASSWORD', 'hunter2')
    vi.stubEnv('HOOK_URL', 'https://hooks.test/hunter2')
    vi.stubEnv('SHOP_ADMIN_PASSWORD', 'hunter2')
    vi.stubEnv('TEMPORAL_API_KEY', 'hunter2')
    await run(check('! env | grep hunter2'))
  })

  test('that takes too long is ended with all that it started', async () => {
    const pid = join(directory, 'pid')
    await expect(run(check(`sleep 60 & echo $! >${pid}; wait`, ', timeout: 1s'))).rejects.toThrow(
      'check "unit" took longer than 1s',
    )
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  test('is ended with all that it started when the run is cancelled', async () => {
    const pid = join(directory, 'pid')
    const environment = new MockActivityEnvironment()
    const running = run(check(`sleep 60 & echo $! >${pid}; wait`), environment)
    await expect.poll(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '').toBe(true)
    environment.cancel('CANCELLED')
    await expect(running).rejects.toThrow()
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  test('whose program is not there refuses', async () => {
    await expect(run('{ name: unit, command: [no-such-program] }')).rejects.toThrow(
      'check "unit" cannot be run: no program "no-such-program"',
    )
    expect(await findProgram('no-such-program', '/')).toBe(false)
    expect(await findProgram('sh', '/')).toBe(true)
    expect(await findProgram('./app.py', release)).toBe(false)
  })

  test('that leaves a file in the release refuses: it would be deployed', async () => {
    await expect(run(check('echo x >cache'))).rejects.toThrow(`the checks changed release "${release}"`)
  })
})

/** A zombie has ended: nobody is left here to bury it. */
function isAlive(pidFile: string): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}/stat`, 'utf8'))
  } catch {
    return false
  }
}
