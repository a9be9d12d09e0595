import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Host } from '../../src/adapters/host.js'
import { SshConnection } from '../../src/adapters/ssh.js'
import { startSshd } from '../support/sshd.js'
import type { Sshd } from '../support/sshd.js'

let sshd: Sshd
let echo: Server
beforeAll(async () => {
  sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  echo.close()
  await sshd.stop()
})

const echoPort = () => (echo.address() as AddressInfo).port
const where = (name: string) => join(sshd.directory, name)

describe('a command over SSH', () => {
  test('brings back its output, its exit and what it was given', async () => {
    const ssh = await sshd.connect()
    const result = await ssh.exec({ command: 'cat; echo err >&2; exit 3', stdin: 'é\n' })
    expect(result).toEqual({ exitCode: 3, signal: undefined, stdout: Buffer.from('é\n'), stderr: Buffer.from('err\n') })
  })

  test('that a signal ended has no exit code', async () => {
    const ssh = await sshd.connect()
    expect(await ssh.exec({ command: 'kill -KILL $$' })).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
  })

  test('that ends before its input is read is no failure', async () => {
    const ssh = await sshd.connect()
    expect(await ssh.exec({ command: 'exit 4', stdin: randomBytes(4_000_000) })).toMatchObject({ exitCode: 4 })
  })

  test('waits for its turn where a server allows few sessions', async () => {
    const ssh = await sshd.connect()
    const results = await Promise.all(Array.from({ length: 60 }, (_, index) => ssh.exec({ command: `echo ${index}` })))
    expect(results.map((result) => Number(result.stdout.toString()))).toEqual(results.map((_, index) => index))
  })

  test('is unknown, never done, when the connection died under it, and so is the next', async () => {
    const ssh = await sshd.connect()
    const running = ssh.exec({ command: 'sleep 60' })
    const waiting = Promise.allSettled(Array.from({ length: 20 }, () => ssh.exec({ command: 'sleep 60' })))
    setTimeout(() => ssh.destroy(), 100)
    await expect(running).rejects.toMatchObject({ type: 'Unreachable' })
    expect((await waiting).map((result) => result.status)).toEqual(Array.from({ length: 20 }, () => 'rejected'))
    expect(ssh.closed).toBe(true)
    await expect(ssh.exec({ command: 'true' })).rejects.toMatchObject({ type: 'Unreachable' })
    await ssh.close()
  })

  test('is let go when its caller aborts', async () => {
    const ssh = await sshd.connect()
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error('enough')), 100)
    await expect(ssh.exec({ command: 'sleep 60', signal: abort.signal })).rejects.toThrow('enough')
    expect(await ssh.exec({ command: 'echo on' })).toMatchObject({ exitCode: 0 })
  })

  test('is unknown when the link goes silent, its own or that of a hop', { timeout: 30_000 }, async () => {
    // A proxy that stops forwarding and tells nobody.
    const sockets: Socket[] = []
    const proxy = createServer((socket) => {
      const far = connect(sshd.port, '127.0.0.1')
      sockets.push(socket, far)
      for (const one of [socket, far]) one.on('error', () => undefined)
      socket.pipe(far).pipe(socket)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const port = (proxy.address() as AddressInfo).port
    const knownHosts = where('known_hosts_proxy')
    writeFileSync(knownHosts, readFileSync(where('known_hosts'), 'utf8').replaceAll(`:${sshd.port} `, `:${port} `))
    const ssh = await SshConnection.open({ ...sshd.options, port, knownHostsFiles: [knownHosts] })
    const hop = { ...sshd.options, port, knownHostsFiles: [knownHosts] }
    const behind = await SshConnection.open({ ...sshd.options, via: [hop] })
    const running = [ssh, behind].map((it) => it.exec({ command: 'sleep 60' }))
    for (const socket of sockets) socket.unpipe().pause()
    for (const one of running) await expect(one).rejects.toMatchObject({ type: 'Unreachable' })
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
})

describe('a file over SSH', () => {
  test('arrives whole, with its mode, in directories that are made for it', async () => {
    const ssh = await sshd.connect()
    const [local, remote] = [where('local'), where('a/b c/é')]
    writeFileSync(local, randomBytes(3_000_000))
    await Promise.all(
      [remote, `${remote}2`].map((remotePath) => ssh.upload({ localPath: local, remotePath, mode: 0o640 })),
    )
    const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
    expect(hash(remote)).toBe(hash(local))
    expect(statSync(remote).mode & 0o777).toBe(0o640)
  })

  test('that cannot be read or written is an error', async () => {
    const ssh = await sshd.connect()
    await expect(ssh.upload({ localPath: where('none'), remotePath: where('x'), mode: 0o600 })).rejects.toThrow(
      'ENOENT',
    )
    await expect(ssh.upload({ localPath: where('local'), remotePath: '/proc/none/x', mode: 0o600 })).rejects.toThrow()
  })
})

describe('a port of the host', () => {
  test('is reached by a stream and by a tunnel', async () => {
    const ssh = await sshd.connect()
    const stream = await ssh.dial({ host: '127.0.0.1', port: echoPort() })
    stream.end('hello')
    expect(await text(stream)).toBe('hello')
    const tunnel = await ssh.tunnel({ host: '127.0.0.1', port: echoPort() })
    expect(await text(connect(tunnel.port, '127.0.0.1').end('through'))).toBe('through')
    await tunnel.close()
    await expect(text(connect(tunnel.port, '127.0.0.1'))).rejects.toThrow('ECONNREFUSED')
  })

  test('that nobody listens on is unreachable', async () => {
    const ssh = await sshd.connect()
    await expect(ssh.dial({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ type: 'Unreachable' })
  })
})

describe('a connection', () => {
  test('is made with any one of the known keys, whichever the server prefers', async () => {
    for (const type of ['ed25519', 'ecdsa', 'rsa']) {
      const file = where(`known_${type}`)
      writeFileSync(file, `[127.0.0.1]:${sshd.port} ${readFileSync(where(`host_${type}.pub`), 'utf8')}`)
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' })
      await (await SshConnection.open({ ...sshd.options, knownHostsFiles: [file] })).close()
    }
  })

  test('is refused, not retried, for an unknown, a changed and a revoked key', async () => {
    const open = (text: string) => {
      writeFileSync(where('known_test'), text)
      return SshConnection.open({ ...sshd.options, knownHostsFiles: [where('known_test')] })
    }
    const known = readFileSync(where('known_hosts'), 'utf8')
    const other = readFileSync(where('identity.pub'), 'utf8')
    await expect(open('')).rejects.toMatchObject({
      type: 'Refused',
      hint: expect.stringContaining('--accept-host-key'),
    })
    await expect(open(`[127.0.0.1]:${sshd.port} ${other}`)).rejects.toMatchObject({ type: 'Refused' })
    const revoked = known.replaceAll(/^/gm, '@revoked ')
    await expect(open(known + revoked)).rejects.toMatchObject({ type: 'Refused' })
  })

  test('says what to try when nobody answers, and when the key is not let in', async () => {
    const options = { ...sshd.options, port: 1 }
    await expect(SshConnection.open(options)).rejects.toMatchObject({ type: 'Unreachable' })
    const stranger = where('stranger')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger])
    const refused = SshConnection.open({ ...sshd.options, identityFile: stranger })
    await expect(refused).rejects.toMatchObject({ type: 'Unreachable', hint: expect.stringContaining('ssh -p') })
  })
})

describe('a host that is looked at', () => {
  test('answers through the noise of its start-up files, and never lets a cut script run', async () => {
    const noisy = await startSshd({ config: ['ForceCommand echo motd; echo noise >&2; eval "$SSH_ORIGINAL_COMMAND"'] })
    try {
      const connection = await noisy.connect()
      const host = new Host({ ssh: async () => connection, stateDirectory: join(noisy.directory, 'state') })
      const seen = await host.look({ script: 'echo out; echo err >&2; printf "no newline"; exit 5' })
      expect(seen).toEqual({ exitCode: 5, stdout: 'out\nno newline', stderr: 'err\n' })
      expect(await host.linksExclusively()).toBe(true)
    } finally {
      await noisy.stop()
    }
  })

  test('before anything was begun there keeps nothing of it, and has nothing to tell', async () => {
    const connection = await sshd.connect()
    const host = new Host({ ssh: async () => connection, stateDirectory: join(where('nowhere'), 'state') })
    const seen = await host.look({ script: 'echo out; echo err >&2; exit 5\n' })
    expect(seen).toEqual({ exitCode: 5, stdout: 'out\n', stderr: 'err\n' })
    expect(await host.readLease()).toMatchObject({ number: 0, holder: undefined, livingJobs: [] })
    expect([await host.readLedger(), await host.readAudit(), await host.listJobs()]).toEqual([
      [],
      { records: [], damage: [] },
      [],
    ])
    const refused = host.appendAudit({ id: 'refused', entry: {} })
    await expect(refused).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('no run') })
    expect(existsSync(where('nowhere'))).toBe(false)
  })

  test('refuses where the state directory cannot be made, and says why', async () => {
    const connection = await sshd.connect()
    const host = new Host({ ssh: async () => connection, stateDirectory: '/proc/none/state' })
    const holder = { workflowId: 'deploy-1', runId: 'run-1', namespace: 'default', kind: 'deploy' } as const
    await expect(host.acquire({ holder, mayTake: async () => undefined })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('/proc/none'),
    })
  })
})

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
