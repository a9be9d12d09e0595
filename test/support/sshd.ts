// A real SSH server for tests, on 127.0.0.1, with keys of its own, as an ordinary process of the present user.
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { removeDirectory } from '../../sandbox/remove.js'
import { SshConnection } from '../../src/adapters/ssh.js'
import type { SshOptions } from '../../src/adapters/ssh.js'

export interface Sshd {
  readonly directory: string
  readonly port: number
  readonly options: SshOptions
  /** A connection that is closed with the server. */
  connect(): Promise<SshConnection>
  stop(): Promise<void>
}

/** Starts one; `config` adds lines to its configuration, `hostKeys` chooses its key types, `path` its programs. */
export async function startSshd(
  input: { readonly config?: readonly string[]; readonly hostKeys?: readonly string[]; readonly path?: string } = {},
): Promise<Sshd> {
  const program = find('sshd', 'openssh-server')
  const directory = mkdtempSync(join(tmpdir(), 'stepback-sshd-'))
  const hostKeys = (input.hostKeys ?? ['ed25519']).map((type) => key(directory, `host_${type}`, type))
  const identityFile = key(directory, 'identity', 'ed25519')
  writeFileSync(join(directory, 'authorized_keys'), readFileSync(`${identityFile}.pub`), { mode: 0o600 })
  const port = await freePort()
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map((file) => `HostKey ${file}`),
    `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
    `PidFile ${join(directory, 'pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 200:30:400',
    'Subsystem sftp internal-sftp',
    // bash takes sshd with SHLVL < 2 for a login and runs its start-up files, which are somebody's own.
    `SetEnv SHLVL=2${input.path === undefined ? '' : ` PATH=${input.path}`}`,
    ...(input.config ?? []),
  ]
  writeFileSync(join(directory, 'sshd_config'), `${config.join('\n')}\n`)
  const knownHosts = join(directory, 'known_hosts')
  writeFileSync(
    knownHosts,
    hostKeys.map((file) => `[127.0.0.1]:${port} ${readFileSync(`${file}.pub`, 'utf8')}`).join(''),
  )
  // Where root runs sshd, it wants this directory of the package.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const log = openSync(join(directory, 'log'), 'a')
  const server = spawn(program, ['-D', '-e', '-f', join(directory, 'sshd_config')], { stdio: ['ignore', log, log] })
  const options: SshOptions = {
    host: '127.0.0.1',
    port,
    user: userInfo().username,
    identityFile,
    knownHostsFiles: [knownHosts],
  }
  const opened: SshConnection[] = []
  await answers(options, server, directory)
  return {
    directory,
    port,
    options,
    connect: async () => {
      const connection = await SshConnection.open(options)
      opened.push(connection)
      return connection
    },
    stop: async () => {
      await Promise.all(opened.map((connection) => connection.close()))
      const ended = new Promise((resolve) => server.once('exit', resolve))
      if (server.exitCode === null && server.kill()) await ended
      await removeDirectory(directory)
    },
  }
}

/** A program's path, or an error that says which package brings it. */
export function find(program: string, debianPackage: string): string {
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin']
  const found = places.map((place) => join(place, program)).find((path) => existsSync(path))
  if (!found) throw new Error(`${program} is missing\nhint: apt-get install -y ${debianPackage}`)
  return found
}

function key(directory: string, name: string, type: string): string {
  const file = join(directory, name)
  execFileSync(find('ssh-keygen', 'openssh-client'), ['-q', '-t', type, '-N', '', '-f', file])
  return file
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function answers(options: SshOptions, server: ChildProcess, directory: string): Promise<void> {
  for (;;) {
    try {
      await (await SshConnection.open(options)).close()
      return
    } catch (error) {
      if (server.exitCode !== null) {
        throw new Error(`sshd ended: ${readFileSync(join(directory, 'log'), 'utf8')}`, { cause: error })
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
