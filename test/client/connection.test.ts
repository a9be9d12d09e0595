// TLS in front of a real server, and an endpoint that records the headers it is sent; both by a profile file alone.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { type AddressInfo, type Server, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { Client } from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { NativeConnection, Worker } from '@temporalio/worker'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { openConnection, resolveAddress } from '../../src/client/connection.js'

const directory = mkdtempSync(join(tmpdir(), 'stepback-tls-'))
const file = (name: string) => join(directory, name)
const read = (name: string) => readFileSync(file(name))
const open = new Set<{ destroy(): unknown }>()
const authorizations: unknown[] = []
let env: TestWorkflowEnvironment
let terminator: Server
let recorder: Server

beforeAll(async () => {
  for (const ca of ['ca', 'other-ca']) certify(ca, ['-x509', '-subj', `/CN=${ca}`])
  for (const name of ['server', 'client']) {
    certify(name, ['-x509', '-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-subj', `/CN=${name}`, ...altName])
  }
  const executable = { type: 'existing-path', path: inject('temporalCli') } as const
  env = await TestWorkflowEnvironment.createLocal({ server: { executable } })
  const identity = { key: read('server.key'), cert: read('server.crt'), ALPNProtocols: ['h2'] }
  const mutual = { ...identity, ca: read('ca.crt'), requestCert: true, rejectUnauthorized: true }
  terminator = createServer(mutual, (socket) => {
    const [host, port] = env.address.split(':')
    const plain = connect(Number(port), host)
    for (const it of [socket, plain]) open.add(it.on('error', () => undefined))
    socket.pipe(plain).pipe(socket)
  })
  const recording = createSecureServer(identity)
  recording.on('session', (session) => void open.add(session))
  recording.on('stream', (stream, headers) => {
    authorizations.push(headers['authorization'])
    // An empty message, and that all is well.
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(Buffer.alloc(5))
  })
  recorder = recording
  await Promise.all([terminator, recorder].map((it) => new Promise<void>((up) => it.listen(0, '127.0.0.1', up))))
})

afterAll(async () => {
  for (const it of open) it.destroy()
  terminator.close()
  recorder.close()
  await env.teardown()
  rmSync(directory, { recursive: true })
})

beforeEach(() => {
  for (const name of Object.keys(process.env).filter((it) => it.startsWith('TEMPORAL_'))) vi.stubEnv(name, undefined)
  vi.stubEnv('TEMPORAL_CONFIG_FILE', file('temporal.toml'))
  authorizations.length = 0
})
afterEach(() => vi.unstubAllEnvs())

describe('a profile file', () => {
  test.each(['its key in the configuration', 'TEMPORAL_PROFILE'])(
    'named by %s leads client and worker through TLS',
    async (by) => {
      writeProfile({ server: terminator, lines: ['namespace = "default"'], tls: mutualTls })
      if (by === 'TEMPORAL_PROFILE') vi.stubEnv(by, 'prod')
      const address = resolveAddress(by === 'TEMPORAL_PROFILE' ? {} : { profile: 'prod' })
      expect(address).toMatchObject({ address: at(terminator), namespace: 'default', means: ['profile prod', 'TLS'] })
      const client = await openConnection(address)
      expect((await client.workflowService.getSystemInfo({})).serverVersion).not.toBe('')
      await client.close()
      const worker = await NativeConnection.connect(address.connection)
      expect((await worker.workflowService.getSystemInfo({})).serverVersion).not.toBe('')
      await worker.close()
    },
  )

  test('is all that a run needs to go from a client to a worker and back through TLS', async () => {
    writeProfile({ server: terminator, lines: ['namespace = "default"'], tls: mutualTls })
    const address = resolveAddress({ profile: 'prod' })
    const [connection, own] = await Promise.all([openConnection(address), NativeConnection.connect(address.connection)])
    const refuses = () => Promise.reject(ApplicationFailure.nonRetryable('not configured', 'UnknownTarget'))
    const taskQueue = 'behind-tls'
    const workflowBundle = { codePath: inject('workflowBundlePath') }
    const worker = await Worker.create({ connection: own, taskQueue, workflowBundle, activities: { plan: refuses } })
    const { workflow } = new Client({ connection })
    const options = { taskQueue, workflowId: 'rollback-behind-tls', args: [{ target: 'shop' }] }
    const run = workflow.execute('rollbackWorkflow', options)
    await expect(worker.runUntil(run)).rejects.toMatchObject({ cause: { type: 'UnknownTarget' } })
    await Promise.all([connection.close(), own.close()])
  })

  test('has its API key sent by client and worker, and printed by nobody', async () => {
    writeProfile({ server: recorder, lines: ['api_key = "hunter2"'], tls: serverTls('ca') })
    const address = resolveAddress({ profile: 'prod' })
    await (await openConnection(address)).close()
    expect(new Set(authorizations)).toEqual(new Set(['Bearer hunter2']))
    authorizations.length = 0
    await (await NativeConnection.connect(address.connection)).close()
    expect(new Set(authorizations)).toEqual(new Set(['Bearer hunter2']))
    expect(address.means).toEqual(['profile prod', 'TLS', 'API key'])
  })

  test('gives way to the configuration and to the environment', () => {
    writeProfile({ server: recorder, lines: ['namespace = "theirs"'], tls: [] })
    vi.stubEnv('TEMPORAL_NAMESPACE', 'mine')
    expect(resolveAddress({ profile: 'prod', address: 'temporal.test:7233' })).toMatchObject({
      address: 'temporal.test:7233',
      namespace: 'mine',
      connection: { address: 'temporal.test:7233' },
    })
    expect(resolveAddress({ profile: 'prod', namespace: 'configured' }).namespace).toBe('configured')
  })

  test('with another CA is one clear error that names the address and no key', async () => {
    writeProfile({ server: terminator, lines: ['api_key = "hunter2"'], tls: serverTls('other-ca') })
    const failing = openConnection(resolveAddress({ profile: 'prod', answersWithinMs: 2_000 }))
    const error = await failing.catch((cause: Error) => cause)
    expect(error).toMatchObject({
      type: 'Unreachable',
      message: expect.stringContaining(`Temporal at "${at(terminator)}"`),
    })
    expect((error as Error).message).not.toContain('hunter2')
  })

  test('that does not have the profile is InvalidConfiguration', () => {
    writeProfile({ server: recorder, lines: [], tls: [] })
    expect(() => resolveAddress({ profile: 'none' })).toThrow(
      expect.objectContaining({ type: 'InvalidConfiguration', message: expect.stringContaining('none') }),
    )
  })
})

const altName = ['subjectAltName=DNS:temporal.test', 'basicConstraints=critical,CA:FALSE'].flatMap((it) => [
  '-addext',
  it,
])
const serverTls = (ca: string) => ['server_name = "temporal.test"', `server_ca_cert_path = "${file(`${ca}.crt`)}"`]
const mutualTls = [
  ...serverTls('ca'),
  `client_cert_path = "${file('client.crt')}"`,
  `client_key_path = "${file('client.key')}"`,
]

function writeProfile(input: { readonly server: Server; readonly lines: string[]; readonly tls: string[] }): void {
  const address = `address = "${at(input.server)}"`
  const text = [
    '[profile.prod]',
    address,
    ...input.lines,
    ...(input.tls.length > 0 ? ['[profile.prod.tls]', ...input.tls] : []),
  ]
  writeFileSync(file('temporal.toml'), text.join('\n'))
}

function at(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function certify(name: string, how: readonly string[]): void {
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)]
  execFileSync('openssl', ['req', ...made, ...files, ...how], { stdio: 'pipe' })
}
