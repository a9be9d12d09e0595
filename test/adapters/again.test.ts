import { readFileSync, writeFileSync } from 'node:fs'
import { type Server, type Socket, connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeAll, afterAll, expect, test, vi } from 'vitest'
import { againIfQuick } from '../../src/adapters/again.js'
import { HostPool } from '../../src/adapters/hosts.js'
import { findTarget, parseConfig } from '../../src/config/load.js'
import { StepbackError } from '../../src/plan/failure.js'
import { type Sshd, startSshd } from '../support/sshd.js'

let sshd: Sshd
const doors: Server[] = []
beforeAll(async () => {
  sshd = await startSshd()
})
afterEach(() => {
  vi.useRealTimers()
  for (const door of doors.splice(0)) door.close()
})
afterAll(() => sshd.stop())

/** In front of the server: turns away so many, at once. */
async function door(turnsAway: number): Promise<{ readonly port: number; readonly met: () => number }> {
  let met = 0
  const server = createServer((socket: Socket) => {
    met += 1
    if (met <= turnsAway) return void socket.destroy()
    const inner = connect(sshd.port, '127.0.0.1')
    socket.pipe(inner).pipe(socket)
    for (const it of [socket, inner]) it.on('error', () => undefined)
    return undefined
  })
  doors.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, met: () => met }
}

function target(port: number) {
  const { user, identityFile } = sshd.options
  const known = join(sshd.directory, `known-${port}`)
  writeFileSync(known, readFileSync(join(sshd.directory, 'known_hosts'), 'utf8').replace(`${sshd.port}`, `${port}`))
  const ssh = { host: '127.0.0.1', port, user, identityFile, knownHosts: [known] }
  const more = { directory: '/srv', backups: '/srv/backups', compose: { project: 'shop', files: ['a.yml'] } }
  const shop = { ssh, ...more, services: { application: ['web'] } }
  return findTarget(parseConfig(JSON.stringify({ targets: { shop } }), 'stepback.yaml'), 'shop')
}

test.each([4, 5])('a host that turns away %i connections is asked five times, and no sixth', async (times) => {
  const { port, met } = await door(times)
  const pool = new HostPool()
  const opening = pool.ssh(target(port))
  await (times === 4 ? opening : expect(opening).rejects.toMatchObject({ type: 'Unreachable' }))
  expect(met()).toBe(5)
  await pool.close()
})

const lost = (level?: string) =>
  new StepbackError({ type: 'Unreachable', message: 'lost', cause: Object.assign(new Error('it'), { level }) })

test('what passes, as a database that is closed while another one takes its name, is tried again', async () => {
  const busy = new StepbackError({ type: 'Busy', message: 'not accepting connections' })
  const work = vi.fn(async () => 'seen').mockRejectedValueOnce(busy)
  expect(await againIfQuick(work)).toBe('seen')
})

test.each([
  ['a login that failed, which a host counts', () => lost('client-authentication')],
  ['a refusal', () => new StepbackError({ type: 'Refused', message: 'no' })],
])('%s is not tried again', async (_what, failure) => {
  const work = vi.fn(async () => Promise.reject(failure()))
  await expect(againIfQuick(work)).rejects.toThrow(StepbackError)
  expect(work).toHaveBeenCalledTimes(1)
})

test('what was waited for long enough is not waited for again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const work = vi.fn(async () => {
    vi.setSystemTime(Date.now() + 20_000)
    throw lost('client-timeout')
  })
  await expect(againIfQuick(work)).rejects.toThrow('lost')
  expect(work).toHaveBeenCalledTimes(1)
})
